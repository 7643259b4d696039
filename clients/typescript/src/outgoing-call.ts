import type { Http } from './http.js'

/** A call as the caller wants it, which may have to be sent twice. */
export class OutgoingCall {
  readonly url: string
  /** Whether the caller brought credentials. */
  readonly hasAuthorization: boolean
  /** Whether its body can be read again. */
  readonly isRepeatable: boolean
  readonly #http: Http
  readonly #target: string | URL | Request
  readonly #init: RequestInit
  readonly #headers: Headers
  readonly #signal: AbortSignal | null

  constructor(http: Http, target: string | URL | Request, init: RequestInit) {
    const request = isRequest(target) ? target : null
    this.#http = http
    this.#target = target
    this.#init = init
    this.#headers = new Headers(init.headers ?? request?.headers)
    this.#signal = init.signal ?? request?.signal ?? null
    this.url = request?.url ?? String(target)
    this.hasAuthorization = this.#headers.has('Authorization')
    this.isRepeatable = !isStream(init.body)
  }

  /** Sends it with a token, or without. */
  send(token: string | null): Promise<Response> {
    // Another origin may be sent what the caller wrote, to the letter.
    if (token === null) return this.#http.fetch(this.#copy(), this.#init)
    const headers = new Headers(this.#headers)
    headers.set('Authorization', `Bearer ${token}`)
    return this.#http.fetch(this.#copy(), { ...this.#init, headers })
  }

  /** Lets the caller leave while a renewal that others wait for goes on. */
  unlessAborted<T>(promise: Promise<T>): Promise<T> {
    const signal = this.#signal
    if (!signal) return promise
    return new Promise((resolve, reject) => {
      const leave = () => reject(signal.reason ?? abortError())
      if (signal.aborted) leave()
      signal.addEventListener('abort', leave, { once: true })
      promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
    })
  }

  /** A Request's body can be read once, so that each sending gets its own. */
  #copy(): string | URL | Request {
    return isRequest(this.#target) ? this.#target.clone() : this.#target
  }
}

function isRequest(input: unknown): input is Request {
  return typeof Request === 'function' && input instanceof Request
}

function isStream(body: unknown): boolean {
  return typeof body === 'object' && body !== null && ('getReader' in body || Symbol.asyncIterator in body)
}

/** By hand, since React Native has no DOMException. */
function abortError(): Error {
  return Object.assign(new Error('The call was aborted.'), { name: 'AbortError' })
}
