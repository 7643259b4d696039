interface ErrorBody {
  error?: unknown
  detail?: unknown
  code?: unknown
  details?: unknown
  fields?: unknown
}

/** What an {@link ApiError} is made of. */
export interface ApiErrorInit {
  status: number
  code: string
  detail: string
  details?: string[]
  fields?: Record<string, string[]>
  retryAfter?: number | undefined
  requestId?: string | undefined
}

/** The server refused a call. `message` and `detail` are sentences for the user. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** The HTTP status. */
  readonly status: number
  /** A slug for programs, such as `no_active_account` or `throttled`; empty when the answer had none. */
  readonly code: string
  /** What is wrong, in a sentence. */
  readonly detail: string
  /** Every problem of the body, in order. */
  readonly details: string[]
  /** The problems by form field. */
  readonly fields: Record<string, string[]>
  /** Seconds to wait before the next try, when the server says so (429 and 503). */
  readonly retryAfter: number | undefined
  /** Finds the call in the server's log. */
  readonly requestId: string | undefined

  constructor(init: ApiErrorInit) {
    super(init.detail)
    this.status = init.status
    this.code = init.code
    this.detail = init.detail
    this.details = init.details ?? []
    this.fields = init.fields ?? {}
    this.retryAfter = init.retryAfter
    this.requestId = init.requestId
  }

  /** Reads a refusal. A page of a proxy in between becomes an error without a code. */
  static async from(response: Response, now: () => number = Date.now): Promise<ApiError> {
    const body: ErrorBody = (await response.json().catch(() => null)) ?? {}
    const fallback = `The server answered ${response.status}.`
    return new ApiError({
      status: response.status,
      code: text(body.code) ?? '',
      detail: text(body.detail) ?? text(body.error) ?? fallback,
      details: texts(body.details),
      fields: textsByName(body.fields),
      retryAfter: parseRetryAfter(response.headers.get('Retry-After'), now()),
      requestId: response.headers.get('X-Request-Id') ?? undefined,
    })
  }
}

/** The server was not reached, or what answered was not it. Says nothing about the session. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError'
  /** What `fetch` rejected with. */
  override readonly cause: unknown

  constructor(message: string, cause?: unknown) {
    super(message)
    this.cause = cause
  }
}

/** Seconds, from a number or an HTTP date (RFC 9110 §10.2.3). */
export function parseRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined
  if (/^\d+$/.test(value.trim())) return Number(value)
  const at = Date.parse(value)
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / 1000))
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

function textsByName(value: unknown): Record<string, string[]> {
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(Object.entries(value).map(([name, problems]) => [name, texts(problems)]))
}
