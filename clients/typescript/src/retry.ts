import { ApiError, NetworkError } from './errors.js'

/** Within the ten seconds in which the server gives the same successor for a spent token. */
const PAUSES = [300, 1000, 2000, 4000]
/** A wait that is worth it while a call is held up. */
const LONGEST_RETRY_AFTER = 3

/** Resolves after a while. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** Early attempts give up soon, so that a lost answer is asked for again in time; the last one is patient. */
export function timeoutOf(attempt: number): number {
  return attempt < PAUSES.length ? 4000 : 15_000
}

/** How long to wait before the next attempt, or null to give up. */
export function pauseBefore(attempt: number, error: unknown, isOnline: boolean): number | null {
  const pause = PAUSES[attempt] ?? null
  if (error instanceof NetworkError) return isOnline ? pause : null
  if (!(error instanceof ApiError) || pause === null) return null
  if (error.retryAfter !== undefined) {
    return error.retryAfter <= LONGEST_RETRY_AFTER ? Math.max(error.retryAfter * 1000, pause) : null
  }
  // A gateway may have lost the answer of a server that did its work.
  return error.status >= 500 ? pause : null
}
