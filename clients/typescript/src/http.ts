import type { Environment } from './environment.js'
import { ApiError, NetworkError } from './errors.js'
import type { AuthMode } from './types.js'

const TIMEOUT = 30_000

/** A call to the server's own API, in JSON. */
export interface Call {
  method: string
  path: string
  body?: unknown
  /** Whether the refresh cookie may go along or be set. */
  withCredential?: boolean
  headers?: Record<string, string>
  accessToken?: string
  /** Milliseconds until the answer is read. */
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

  /** The JSON of a 2xx; every other status is an ApiError, silence a NetworkError. */
  async json<T>(call: Call): Promise<T> {
    const url = this.resolve(call.path)
    const controller = new AbortController()
    const timer = setTimeout(() => controller.abort(), call.timeout ?? TIMEOUT)
    try {
      const init = { ...this.#init(call), signal: controller.signal }
      return await readJson<T>(await this.#environment.fetch(url, init), this.#environment.now)
    } catch (error) {
      if (error instanceof ApiError || error instanceof NetworkError) throw error
      throw unreachable(error)
    } finally {
      clearTimeout(timer)
    }
  }

  /** The platform's fetch, whose failures become NetworkErrors, but for the caller's own abort. */
  async fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    try {
      return await this.#environment.fetch(input, init)
    } catch (error) {
      const signal = init?.signal ?? (input as Partial<Request>).signal
      if (signal?.aborted || (error as Error | null)?.name === 'AbortError') throw error
      throw unreachable(error)
    }
  }

  #init(call: Call): RequestInit {
    const headers: Record<string, string> = { Accept: 'application/json', ...call.headers }
    const init: RequestInit = { method: call.method, headers }
    if (call.body !== undefined) {
      headers['Content-Type'] = 'application/json'
      init.body = JSON.stringify(call.body)
    }
    if (call.accessToken) headers.Authorization = `Bearer ${call.accessToken}`
    if (call.withCredential) {
      // Said every time, so that a server whose default is the other one does as this client expects.
      headers['X-Auth-Mode'] = this.mode
      if (this.mode === 'cookie') init.credentials = 'include'
    }
    return init
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
    throw new NetworkError('The answer did not come from the server.', error)
  }
}

function unreachable(cause: unknown): NetworkError {
  return new NetworkError('The server could not be reached.', cause)
}
