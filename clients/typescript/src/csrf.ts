import type { Environment } from './environment.js'
import type { Http } from './http.js'
import { originOf } from './origin.js'

/** The csrftoken, which proves beside the cookie that a script of ours makes the call. */
export class CsrfToken {
  readonly #http: Http
  readonly #readCookies: () => string
  #fetched: string | null = null

  constructor(http: Http, environment: Environment) {
    this.#http = http
    // Another origin's cookies cannot be read, and the page's own csrftoken would be somebody else's.
    const isOwn = originOf(http.base) === originOf(environment.pageOrigin ?? '')
    this.#readCookies = isOwn ? environment.readCookies : () => ''
  }

  /** The cookie's value where a script can see it. */
  get cookie(): string | null {
    return /(?:^|;\s*)csrftoken=([^;]+)/.exec(this.#readCookies())?.[1] ?? null
  }

  /** The cookie's value, asked of the server where it cannot be seen. */
  async get(): Promise<string> {
    return this.cookie ?? this.#fetched ?? this.renew()
  }

  /** What the server says it is, for when the one that was sent did not do. */
  async renew(): Promise<string> {
    const call = { method: 'GET', path: '/api/auth/csrf/', withCredential: true, timeout: 10_000 }
    const { csrftoken } = await this.#http.json<{ csrftoken: string }>(call)
    this.#fetched = csrftoken
    return csrftoken
  }
}
