import type { Environment } from './environment.js'
import type { Http } from './http.js'

const PATH = '/api/auth/csrf/'

/** The csrftoken, which proves beside the cookie that a script of ours makes the call. */
export class CsrfToken {
  readonly #http: Http
  readonly #readCookies: () => string
  #fetched: string | null = null

  /** `readCookies` gives nothing where the server's cookies are not the page's. */
  constructor(http: Http, environment: Environment) {
    this.#http = http
    const isOwn = environment.pageOrigin !== null && http.base.startsWith(environment.pageOrigin)
    this.#readCookies = isOwn ? environment.readCookies : () => ''
  }

  /** The cookie's value, asked of the server where there is none or it cannot be read. */
  async get(): Promise<string> {
    const cookie = /(?:^|;\s*)csrftoken=([^;]+)/.exec(this.#readCookies())?.[1]
    return cookie ?? this.#fetched ?? this.renew()
  }

  /** What the server says it is, for when the one that was sent did not do. */
  async renew(): Promise<string> {
    const call = { method: 'GET', path: PATH, withCookies: true, timeout: 10_000 }
    const { csrftoken } = await this.#http.json<{ csrftoken: string }>(call)
    this.#fetched = csrftoken
    return csrftoken
  }
}
