import type { CsrfToken } from './csrf.js'
import { ApiError } from './errors.js'
import type { Http } from './http.js'
import type { RefreshTokens } from './refresh-tokens.js'
import type { components } from './schema.js'

type RefreshResponse = components['schemas']['RefreshResponse']

const TIMEOUT = 15_000

/** The two calls that show the refresh token, in the body or as a cookie with its proof. */
export class Credential {
  readonly #http: Http
  readonly #csrf: CsrfToken
  readonly tokens: RefreshTokens

  constructor(http: Http, csrf: CsrfToken, tokens: RefreshTokens) {
    this.#http = http
    this.#csrf = csrf
    this.tokens = tokens
  }

  get isCookie(): boolean {
    return this.#http.mode === 'cookie'
  }

  /** Spends the refresh token for the next pair. `token` is body mode's. */
  refresh(token: string | null, timeout: number): Promise<RefreshResponse> {
    return this.#show('/api/auth/refresh/', token === null ? {} : { refresh: token }, timeout)
  }

  /** Ends the session of the refresh token. */
  async revoke(token: string | null): Promise<void> {
    if (token === null && !this.isCookie) return
    try {
      await this.#show('/api/auth/logout/', token === null ? {} : { refresh: token }, TIMEOUT)
    } catch (error) {
      // 400: there is no token, or it was never the server's. Nothing is left to end.
      if (!(error instanceof ApiError && error.status === 400)) throw error
    }
  }

  async #show<T>(path: string, body: object, timeout: number): Promise<T> {
    const call = { method: 'POST', path, body, withCookies: true, timeout }
    if (!this.isCookie) return this.#http.json<T>(call)
    const proved = (token: string) => this.#http.json<T>({ ...call, headers: { 'X-CSRFToken': token } })
    try {
      return await proved(await this.#csrf.get())
    } catch (error) {
      // The cookie ran out or changed since it was read.
      if (!(error instanceof ApiError && error.code === 'csrf_failed')) throw error
      return proved(await this.#csrf.renew())
    }
  }
}
