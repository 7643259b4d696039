import type { Environment } from './environment.js'
import { ApiError, NetworkError } from './errors.js'
import type { AuthMode } from './types.js'

/** A call to the server, in JSON. */
export interface Call {
  method: string
  path: string
  body?: unknown
  /** Whether cookies go along and may be set, which only cookie mode needs. */
  withCookies?: boolean
  headers?: Record<string, string>
  accessToken?: string
  /** Milliseconds. Without, as long as the platform waits. */
  timeout?: number
}

/** Where the server is, and calls to it. */
export class Http {
  readonly mode: AuthMode
  /** Origin and path before `/api/…`, without a slash at the end. */
  readonly base: string
  readonly #environment: Environment

  constructor(environment: Environment, base: string, mode: AuthMode) {
    this.#environment = environment
    this.base = base
    this.mode = mode
  }

  /** The absolute address of a path of the server. */
  resolve(path: string): string {
    if (this.base === '') throw new TypeError('createClient needs a baseUrl outside a web page')
    return `${this.base}${path.startsWith('/') ? path : `/${path}`}`
  }

  /** Any answer; rejects only with NetworkError. */
  async send(call: Call): Promise<Response> {
    const headers: Record<string, string> = { Accept: 'application/json', ...call.headers }
    const init: RequestInit = { method: call.method, headers }
    if (call.body !== undefined) {
      headers['Content-Type'] = 'application/json'
      init.body = JSON.stringify(call.body)
    }
    if (call.accessToken) headers.Authorization = `Bearer ${call.accessToken}`
    // Said every time, so that a server whose default is the other one does as this client expects.
    if (call.withCookies) headers['X-Auth-Mode'] = this.mode
    if (call.withCookies && this.mode === 'cookie') init.credentials = 'include'
    return withTimeout(call.timeout, (signal) => this.fetch(this.resolve(call.path), { ...init, signal }))
  }

  /** The JSON of a 2xx; every other status is an ApiError. */
  async json<T>(call: Call): Promise<T> {
    return readJson<T>(await this.send(call), this.#environment.now)
  }

  /** The platform's fetch, whose failures become NetworkErrors, but for a caller's own abort. */
  async fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    try {
      return await this.#environment.fetch(input, init)
    } catch (error) {
      if ((error as Error | null)?.name === 'AbortError') throw error
      throw new NetworkError('The server could not be reached.', error)
    }
  }
}

/** The JSON of a 2xx, undefined for 204; every other status is an ApiError. */
export async function readJson<T>(response: Response, now: () => number): Promise<T> {
  if (!response.ok) throw await ApiError.from(response, now)
  if (response.status === 204) return undefined as T
  try {
    return (await response.json()) as T
  } catch (error) {
    // A hotel's sign-in page answers 200 to everything.
    throw new NetworkError('The answer was not the server’s.', error)
  }
}

async function withTimeout<T>(
  milliseconds: number | undefined,
  run: (signal: AbortSignal | null) => Promise<T>,
): Promise<T> {
  if (milliseconds === undefined) return run(null)
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), milliseconds)
  try {
    return await run(controller.signal)
  } catch (error) {
    throw error instanceof NetworkError
      ? error
      : new NetworkError('The server did not answer in time.', error)
  } finally {
    clearTimeout(timer)
  }
}
