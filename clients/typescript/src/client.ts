import { readClaims } from './access-token.js'
import { AuthorizedFetch, originOf } from './authorized-fetch.js'
import { Credential } from './credential.js'
import { CsrfToken } from './csrf.js'
import { detectEnvironment, type Environment } from './environment.js'
import { Http, readJson } from './http.js'
import { PendingLogout } from './pending-logout.js'
import { memoryStorage, RefreshTokens } from './refresh-tokens.js'
import { Renewal, userOf } from './renewal.js'
import { Session } from './session.js'
import { SignIn } from './sign-in.js'
import { TabLock } from './tab-lock.js'
import type { Account, AuthMode, ClientOptions, PortcullisClient, SessionState } from './types.js'

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
  const name = `portcullis:${mode}:${base}`
  const http = new Http(environment, base, mode)
  const credential = new Credential(
    http,
    new CsrfToken(http, environment),
    new RefreshTokens(options.storage ?? memoryStorage()),
  )
  const lock = new TabLock(environment.locks, name)
  const pending = new PendingLogout(mode === 'cookie' ? environment.localStorage : null, `${name}:logout`)

  const session: Session = new Session((receive) => environment.openChannel(name, receive), {
    async accepts(token) {
      if (mode === 'cookie') return true
      const stored = await credential.tokens.get()
      return stored !== null && readClaims(stored).sessionId === token.claims.sessionId
    },
    signedInElsewhere: () => void renewal.run().catch(() => undefined),
    signedOutElsewhere: () =>
      void signIn
        .takeToken()
        .then((token) => credential.revoke(token))
        .catch(() => undefined),
  })
  const renewal = new Renewal(http, session, credential, lock, environment)
  const signIn = new SignIn(http, session, credential, lock, environment, pending)
  const authorized = new AuthorizedFetch(http, session, renewal, environment, options.apiOrigins ?? [])

  async function request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const headers: Record<string, string> = { Accept: 'application/json' }
    const init: RequestInit = { method, headers }
    if (body !== undefined) {
      headers['Content-Type'] = 'application/json'
      init.body = JSON.stringify(body)
    }
    return readJson<T>(await authorized.fetch(http.resolve(path), init), environment.now)
  }
  const open = <T>(method: string, path: string, body?: unknown) =>
    http.json<T>(body === undefined ? { method, path } : { method, path, body })

  async function restore(): Promise<SessionState> {
    if (session.state.status !== 'unknown') return session.state
    if (await signIn.finishLogout()) session.signOut('signed-out')
    else await renewal.run()
    return session.state
  }

  async function account(call: Promise<Account>): Promise<Account> {
    const epoch = session.epoch
    const answer = await call
    if (session.epoch === epoch && session.user?.id === answer.id) session.setUser(userOf(answer))
    return answer
  }

  async function leaving<T>(call: Promise<T>): Promise<T> {
    const answer = await call
    session.signOut('signed-out')
    await signIn.takeToken()
    return answer
  }

  return {
    getSession: () => session.state,
    subscribe: (listener) => session.subscribe(listener),
    restore,
    close: () => session.close(),

    register: (input) => open('POST', '/api/auth/register/', input),
    login: (credentials) => signIn.login(credentials),
    logout: () => signIn.logout(),
    logoutAll: () => leaving(request<void>('POST', '/api/auth/logout-all/')),
    verifyEmail: (proof) => signIn.verifyEmail(proof),
    resendVerification: (email) => open('POST', '/api/auth/resend-verification/', { email }),
    requestPasswordReset: (email) => open('POST', '/api/auth/password-reset/', { email }),
    confirmPasswordReset: (token, password) =>
      open('POST', '/api/auth/password-reset/confirm/', { token, password }),
    changePassword: (current, next) =>
      request('POST', '/api/auth/change-password/', { current_password: current, new_password: next }),
    me: () => account(request('GET', '/api/auth/me/')),
    updateMe: (names) => account(request('PATCH', '/api/auth/me/', names)),
    deleteMe: (password) => leaving(request('DELETE', '/api/auth/me/', { password })),
    exportMe: () => request('GET', '/api/auth/me/export/'),
    requestEmailChange: (email, password) => request('POST', '/api/auth/email-change/', { email, password }),
    confirmEmailChange: (token) => open('POST', '/api/auth/email-change/confirm/', { token }),
    sessions: async () => (await request<{ results: [] }>('GET', '/api/auth/sessions/')).results,
    endSession: (id) => request('DELETE', `/api/auth/sessions/${encodeURIComponent(id)}/`),
    passwordPolicy: () => open('GET', '/api/auth/password-policy/'),

    fetch: (input, init) => authorized.fetch(input, init),
    request,
  }
}

/** A cookie is safer from scripts, but only a page of the server's own origin is sure to keep it. */
function defaultMode(base: string, environment: Environment): AuthMode {
  return environment.pageOrigin !== null && originOf(base) === originOf(environment.pageOrigin)
    ? 'cookie'
    : 'body'
}
