import type { Environment } from './environment.js'
import { ApiError, NetworkError } from './errors.js'

/** Within the ten seconds in which the server gives the same successor for a spent token. */
const PAUSES = [300, 1000, 2000, 4000]
/** A wait that is worth it while a call is held up. */
const LONGEST_RETRY_AFTER = 3

/**
 * Tries something repeatable again soon when its answer was lost or the server asks for a moment.
 *
 * `isWanted` ends it early. `run` is given its timeout: early tries give up soon, so that a lost answer is
 * asked for again in time; the last one is patient with a slow network.
 */
export async function retrying<T>(
  environment: Environment,
  isWanted: () => boolean,
  run: (timeout: number) => Promise<T>,
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await run(attempt < PAUSES.length ? 4000 : 15_000)
    } catch (error) {
      const pause = pauseAfter(error, PAUSES[attempt], environment)
      if (pause === null) throw error
      await new Promise((resolve) => setTimeout(resolve, pause))
      if (!isWanted()) throw error
    }
  }
}

/** How long to wait before the next try, or null to give up. */
function pauseAfter(error: unknown, pause: number | undefined, environment: Environment): number | null {
  if (pause === undefined) return null
  if (error instanceof NetworkError) return environment.isOnline() ? pause : null
  if (!(error instanceof ApiError)) return null
  if (error.retryAfter !== undefined) {
    return error.retryAfter <= LONGEST_RETRY_AFTER ? Math.max(error.retryAfter * 1000, pause) : null
  }
  // A gateway may have lost the answer of a server that did its work.
  return error.status >= 500 ? pause : null
}
