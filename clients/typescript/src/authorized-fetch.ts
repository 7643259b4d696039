import { isFresh } from './access-token.js'
import type { Environment } from './environment.js'
import { ApiError } from './errors.js'
import type { Http } from './http.js'
import type { Renewal } from './renewal.js'
import type { Session } from './session.js'

/** Calls in the user's name. */
export class AuthorizedFetch {
  readonly #http: Http
  readonly #session: Session
  readonly #renewal: Renewal
  readonly #environment: Environment
  readonly #trusted: ReadonlySet<string>

  constructor(
    http: Http,
    session: Session,
    renewal: Renewal,
    environment: Environment,
    apiOrigins: readonly string[],
  ) {
    this.#http = http
    this.#session = session
    this.#renewal = renewal
    this.#environment = environment
    const known = [http.base, environment.pageOrigin ?? '', ...apiOrigins].map(originOf)
    this.#trusted = new Set(known.filter((origin) => origin !== null))
  }

  /** See `PortcullisClient.fetch`. */
  async fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const target = typeof input === 'string' && input.startsWith('/') ? this.#http.resolve(input) : input
    const headers = new Headers(init?.headers ?? (isRequest(input) ? input.headers : undefined))
    if (!this.#mayCarryToken(target) || headers.has('Authorization')) return this.#http.fetch(target, init)
    const signal = init?.signal ?? (isRequest(input) ? input.signal : null)
    return this.#authorized(new OutgoingCall(this.#http, target, init ?? {}, headers), signal)
  }

  async #authorized(call: OutgoingCall, signal: AbortSignal | null): Promise<Response> {
    if (this.#session.state.status === 'unknown') await abortable(this.#settleQuietly(), signal)
    const epoch = this.#session.epoch
    try {
      await abortable(this.#renewInTime(), signal)
      const token = this.#tokenFor(epoch)
      const response = await call.send(token)
      if (response.status !== 401 || !call.isRepeatable) return response
      if (!(await abortable(this.#hasNewToken(epoch, token), signal))) return response
      // Frees the connection; nobody reads the refusal.
      response.body?.cancel().catch(() => undefined)
      return await call.send(this.#tokenFor(epoch))
    } catch (error) {
      if (error instanceof ApiError) return responseOf(error)
      throw error
    }
  }

  /** A page load's renewal comes first, however it ends. */
  async #settleQuietly(): Promise<void> {
    await this.#renewal.running?.catch(() => undefined)
  }

  /** Before the token runs out. While it still works, a renewal that fails can wait. */
  async #renewInTime(): Promise<void> {
    const token = this.#session.access
    if (!token || isFresh(token, this.#environment.now())) return
    await this.#renewal.run()
  }

  /** A call begun in one session never carries the token of another. */
  #tokenFor(epoch: number): string | null {
    return this.#session.epoch === epoch ? (this.#session.access?.value ?? null) : null
  }

  async #hasNewToken(epoch: number, refused: string | null): Promise<boolean> {
    if (this.#session.epoch !== epoch || this.#session.state.status === 'signed-out') return false
    if (this.#tokenFor(epoch) === refused) await this.#renewal.run()
    const current = this.#tokenFor(epoch)
    return current !== null && current !== refused
  }

  #mayCarryToken(target: string | URL | Request): boolean {
    const origin = originOf(isRequest(target) ? target.url : String(target))
    return origin !== null && this.#trusted.has(origin)
  }
}

/** A call that can be sent twice. */
class OutgoingCall {
  readonly isRepeatable: boolean
  readonly #http: Http
  readonly #target: string | URL | Request
  readonly #init: RequestInit
  readonly #headers: Headers

  constructor(http: Http, target: string | URL | Request, init: RequestInit, headers: Headers) {
    this.#http = http
    this.#target = target
    this.#init = init
    this.#headers = headers
    this.isRepeatable = !isStream(init.body)
  }

  send(token: string | null): Promise<Response> {
    const headers = new Headers(this.#headers)
    if (token !== null) headers.set('Authorization', `Bearer ${token}`)
    const target = isRequest(this.#target) && this.isRepeatable ? this.#target.clone() : this.#target
    return this.#http.fetch(target, { ...this.#init, headers })
  }
}

/**
 * Scheme and authority, lower-case; null for anything else. By hand, since React Native's `URL` is not one.
 * Stricter than a browser: an address that only a browser would mend into one of ours stays foreign.
 */
export function originOf(address: string): string | null {
  return /^https?:\/\/[^/?#\\\s]+(?=[/?#]|$)/i.exec(address)?.[0].toLowerCase() ?? null
}

function isRequest(input: unknown): input is Request {
  return typeof Request === 'function' && input instanceof Request
}

function isStream(body: unknown): boolean {
  return typeof body === 'object' && body !== null && ('getReader' in body || Symbol.asyncIterator in body)
}

/** Lets a caller leave while a renewal that others wait for goes on. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal | null): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason ?? new DOMException('Aborted', 'AbortError'))
    if (signal.aborted) return leave()
    signal.addEventListener('abort', leave, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}

/** The refusal of a renewal, as the answer to the call that needed it. */
function responseOf(error: ApiError): Response {
  const { status, code, detail, details, fields, retryAfter } = error
  const headers = new Headers({ 'Content-Type': 'application/json' })
  if (retryAfter !== undefined) headers.set('Retry-After', String(retryAfter))
  const body = { error: detail, detail, code, details, fields }
  return new Response(JSON.stringify(body), { status, headers })
}
