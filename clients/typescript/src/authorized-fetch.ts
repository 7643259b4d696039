import { freshness } from './access-token.js'
import type { Core } from './core.js'
import { ApiError } from './errors.js'
import { originOf } from './origin.js'
import { OutgoingCall } from './outgoing-call.js'
import type { Renewal } from './renewal.js'

/** Calls in the user's name. */
export class AuthorizedFetch {
  readonly #core: Core
  readonly #renewal: Renewal
  readonly #trusted: ReadonlySet<string | null>

  constructor(core: Core, renewal: Renewal, apiOrigins: readonly string[]) {
    this.#core = core
    this.#renewal = renewal
    const own = [core.http.base, core.environment.pageOrigin ?? '']
    this.#trusted = new Set([...own, ...apiOrigins].map(originOf))
  }

  /** See `PortcullisClient.fetch`. */
  async fetch(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    const { http } = this.#core
    const target = typeof input === 'string' && input.startsWith('/') ? http.resolve(input) : input
    const call = new OutgoingCall(http, target, init)
    // Anybody else's server must not see the token; a caller's own credentials are the caller's business.
    if (!this.#isTrusted(call.url) || call.hasAuthorization) return call.send(null)
    try {
      return await this.#authorized(call)
    } catch (error) {
      if (error instanceof ApiError) return responseOf(error)
      throw error
    }
  }

  async #authorized(call: OutgoingCall): Promise<Response> {
    const { session } = this.#core
    // A page load's renewal comes first, however it ends.
    if (session.state.status === 'unknown') await call.unlessAborted(this.#settled())
    const { epoch } = session
    await call.unlessAborted(this.#renewInTime())
    const token = this.#tokenOf(epoch)
    const response = await call.send(token)
    if (response.status !== 401 || !call.isRepeatable) return response
    if (!(await call.unlessAborted(this.#hasNewToken(epoch, token)))) return response
    // Frees the connection; nobody reads the refusal.
    response.body?.cancel().catch(() => undefined)
    return call.send(this.#tokenOf(epoch))
  }

  async #settled(): Promise<void> {
    await this.#renewal.running?.catch(() => undefined)
  }

  async #renewInTime(): Promise<void> {
    const { session, environment } = this.#core
    if (!session.access) return
    const state = freshness(session.access, environment.now())
    if (state === 'fresh') return
    const renewal = this.#renewal.run()
    // While the old token works, a failing renewal is the next call's concern.
    if (state === 'over') await renewal
    else if (state === 'due') await renewal.catch(() => undefined)
    else renewal.catch(() => undefined)
  }

  /** A call begun in one session never carries the token of another. */
  #tokenOf(epoch: number): string | null {
    const { session } = this.#core
    return session.epoch === epoch ? (session.access?.value ?? null) : null
  }

  async #hasNewToken(epoch: number, refused: string | null): Promise<boolean> {
    const { session } = this.#core
    if (session.epoch !== epoch || session.state.status === 'signed-out') return false
    // Unless another call has renewed it since this one was sent.
    if (this.#tokenOf(epoch) === refused) await this.#renewal.run()
    const current = this.#tokenOf(epoch)
    return current !== null && current !== refused
  }

  #isTrusted(url: string): boolean {
    const origin = originOf(url)
    return origin !== null && this.#trusted.has(origin)
  }
}

/** The refusal of a renewal, as the answer to the call that needed it. */
function responseOf(error: ApiError): Response {
  const { status, code, detail, details, fields, retryAfter } = error
  const headers = new Headers({ 'Content-Type': 'application/json' })
  if (retryAfter !== undefined) headers.set('Retry-After', String(retryAfter))
  const body = { error: detail, detail, code, details, fields }
  return new Response(JSON.stringify(body), { status, headers })
}
