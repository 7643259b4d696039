import type { CsrfToken } from './csrf.js'
import { ApiError } from './errors.js'
import type { Http } from './http.js'
import type { RefreshTokens } from './refresh-tokens.js'
import type { components } from './schema.js'

type RefreshResponse = components['schemas']['RefreshResponse']

/** The two calls that show the refresh token, in the body or as a cookie with its proof. */
export class Credential {
  /** Body mode's token. */
  readonly tokens: RefreshTokens
  readonly #http: Http
  readonly #csrf: CsrfToken

  constructor(http: Http, csrf: CsrfToken, tokens: RefreshTokens) {
    this.#http = http
    this.#csrf = csrf
    this.tokens = tokens
  }

  /** Whether the browser keeps the token, for all tabs. */
  get isCookie(): boolean {
    return this.#http.mode === 'cookie'
  }

  /** Whether a script can see that there has been a session since the browser was opened. */
  get hasTrace(): boolean {
    return this.#csrf.cookie !== null
  }

  /** Spends the refresh token for the next pair. */
  refresh(token: string | null, timeout: number): Promise<RefreshResponse> {
    return this.#show('/api/auth/refresh/', token, timeout)
  }

  /** Ends the session of the refresh token. */
  async revoke(token: string | null, timeout: number): Promise<void> {
    if (token === null && !this.isCookie) return
    try {
      await this.#show('/api/auth/logout/', token, timeout)
    } catch (error) {
      // There is no token, or it was never the server's: nothing is left to end.
      if (!(error instanceof ApiError && error.status === 400)) throw error
    }
  }

  async #show<T>(path: string, token: string | null, timeout: number): Promise<T> {
    const body = token === null ? {} : { refresh: token }
    const call = { method: 'POST', path, body, withCredential: true, timeout }
    if (!this.isCookie) return this.#http.json<T>(call)
    const prove = (csrftoken: string) =>
      this.#http.json<T>({ ...call, headers: { 'X-CSRFToken': csrftoken } })
    try {
      return await prove(await this.#csrf.get())
    } catch (error) {
      // The cookie ran out or changed since it was read.
      if (!(error instanceof ApiError && error.code === 'csrf_failed')) throw error
      return prove(await this.#csrf.renew())
    }
  }
}
