import { accountCalls } from './account-calls.js'
import { AuthorizedFetch } from './authorized-fetch.js'
import type { Core } from './core.js'
import { Credential } from './credential.js'
import { CsrfToken } from './csrf.js'
import { detectEnvironment, type Environment } from './environment.js'
import { Http, readJson } from './http.js'
import { originOf } from './origin.js'
import { memoryStorage, RefreshTokens } from './refresh-tokens.js'
import { Renewal } from './renewal.js'
import { Session } from './session.js'
import { SessionMark } from './session-mark.js'
import { SignIn } from './sign-in.js'
import { TabLock } from './tab-lock.js'
import { Tabs } from './tabs.js'
import type { AuthMode, ClientOptions, PortcullisClient, SessionState } from './types.js'

/**
 * Makes the client of an application: one in a page, one per user in a server.
 *
 * @example
 * ```ts
 * const client = createClient({ baseUrl: 'https://accounts.example.com' })
 * await client.login({ username: 'ada', password })
 * const books = await client.fetch('/api/books/')
 * ```
 */
export function createClient(options: ClientOptions = {}): PortcullisClient {
  return createClientIn(detectEnvironment(options), options)
}

/** The same in an environment of one's own. */
export function createClientIn(environment: Environment, options: ClientOptions): PortcullisClient {
  const base = (options.baseUrl || environment.pageOrigin || '').replace(/\/+$/, '')
  const mode = options.mode ?? defaultMode(base, environment)
  // One session per server: all tabs with this name share it.
  const name = `portcullis:${mode}:${base}`
  const core = createCore(environment, new Http(environment, base, mode), options, name)
  const { session, credential } = core
  const renewal = new Renewal(core)
  const signIn = new SignIn(core)
  const quietly = (work: Promise<unknown>) => void work.catch(() => undefined)
  const tabs = new Tabs(
    (receive) => environment.openChannel(name, receive),
    session,
    credential.isCookie ? null : credential.tokens,
    { ask: () => quietly(renewal.run()), follow: () => quietly(signIn.follow()) },
  )
  // A page that was put aside has heard nothing of the other tabs meanwhile.
  const stopReturns = environment.onReturn(() => session.user && quietly(renewal.run()))
  const authorized = new AuthorizedFetch(core, renewal, options.apiOrigins ?? [])
  const request = <T>(method: string, path: string, body?: unknown) =>
    authorized.fetch(path, jsonInit(method, body)).then((response) => readJson<T>(response, environment.now))
  return {
    ...accountCalls(core, signIn, request),
    baseUrl: base,
    getSession: () => session.state,
    subscribe: (listener) => session.subscribe(listener),
    restore: () => restore(core, renewal, signIn),
    login: (credentials) => signIn.login(credentials),
    verifyEmail: (proof) => signIn.verifyEmail(proof),
    logout: () => signIn.logout(),
    fetch: (input, init) => authorized.fetch(input, init),
    request,
    close() {
      tabs.close()
      stopReturns()
    },
  }
}

function createCore(environment: Environment, http: Http, options: ClientOptions, name: string): Core {
  const tokens = new RefreshTokens(options.storage ?? memoryStorage())
  return {
    environment,
    http,
    session: new Session(),
    credential: new Credential(http, new CsrfToken(http, environment), tokens),
    lock: new TabLock(environment.locks, name),
    mark: new SessionMark(http.mode === 'cookie' ? environment.localStorage : null, name),
  }
}

/** A cookie is out of a script's reach, but only a page of the server's own origin is sure to keep it. */
function defaultMode(base: string, { pageOrigin }: Environment): AuthMode {
  return pageOrigin !== null && originOf(base) === originOf(pageOrigin) ? 'cookie' : 'body'
}

async function restore(core: Core, renewal: Renewal, signIn: SignIn): Promise<SessionState> {
  const { session, mark, credential } = core
  if (session.state.status !== 'unknown') return session.state
  const known = mark.get()
  if (known === 'signing-out') {
    signIn.finishLogout().catch(() => undefined)
  } else if (known === null && !credential.hasTrace) {
    // Most visitors of a public page: asking would only use up their address's allowance.
    session.signOut('never')
  } else {
    await renewal.run()
  }
  return session.state
}

function jsonInit(method: string, body: unknown): RequestInit {
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (body === undefined) return { method, headers }
  return { method, headers: { ...headers, 'Content-Type': 'application/json' }, body: JSON.stringify(body) }
}
