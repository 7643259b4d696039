import { ApiError, NetworkError } from 'portcullis-client'
import { texts } from './texts'

/** A refusal as a form shows it: some of it beside fields, the rest above them. */
export interface Problem {
  /** By the names of the form's fields. */
  fields: Record<string, string>
  /** What belongs to no field of the form. */
  messages: string[]
  code?: string
  /** Not before this time (milliseconds since the epoch) is there any use in trying again. */
  retryAt?: number
  requestId?: string
}

/** Messages of our own for some of the server's codes. */
export type Words = Readonly<Record<string, string>>

/** Sorts an error into what stands beside the fields called `names`, and the rest. */
export function toProblem(
  error: unknown,
  names: readonly string[],
  words: Words = {},
  now: number = Date.now(),
): Problem {
  if (error instanceof NetworkError) return { fields: {}, messages: [texts.problem.network] }
  if (!(error instanceof ApiError)) return { fields: {}, messages: [texts.problem.unknown] }
  if (error.retryAfter !== undefined && [429, 503].includes(error.status)) {
    return { fields: {}, messages: [], code: error.code, retryAt: now + error.retryAfter * 1000 }
  }
  const entries = Object.entries(error.fields).filter(([, messages]) => messages.length > 0)
  const fields = Object.fromEntries(
    entries.filter(([name]) => names.includes(name)).map(([name, messages]) => [name, messages.join(' ')]),
  )
  const elsewhere = entries.filter(([name]) => !names.includes(name)).flatMap(([, messages]) => messages)
  const problem: Problem = { fields, messages: elsewhere, code: error.code }
  if (error.status >= 500)
    return { ...problem, messages: [texts.problem.unknown], requestId: error.requestId }
  if (entries.length === 0) problem.messages = [words[error.code] ?? (error.detail || texts.problem.unknown)]
  return problem
}
