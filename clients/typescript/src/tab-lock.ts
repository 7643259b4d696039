import type { Locks } from './environment.js'

/** A tab that does not answer for so long is not waited for: the server's grace settles the race. */
const LONGEST_WAIT = 20_000

/**
 * Runs a job while no other tab runs one, and within this tab one after the other.
 *
 * Browsers free the lock of a tab that is closed. Where there are no locks tabs may race, which the server's
 * grace allows: a refresh token sent twice within 10 s gets the same successor.
 */
export class TabLock {
  readonly #locks: Locks | null
  readonly #name: string
  #last: Promise<unknown> = Promise.resolve()

  constructor(locks: Locks | null, name: string) {
    this.#locks = locks
    this.#name = name
  }

  /** `job` hears whether it had to wait for another tab. */
  run<T>(job: (waited: boolean) => Promise<T>): Promise<T> {
    const next = this.#last.then(() => this.#acrossTabs(job))
    this.#last = next.catch(() => undefined)
    return next
  }

  async #acrossTabs<T>(job: (waited: boolean) => Promise<T>): Promise<T> {
    const locks = this.#locks
    if (!locks) return job(false)
    let hasBegun = false
    const begin = (waited: boolean) => {
      hasBegun = true
      return job(waited)
    }
    try {
      const done = (await this.#tryNow(locks, begin)) ?? (await this.#wait(locks, begin))
      return done.result
    } catch (error) {
      if (hasBegun) throw error
      // Waited for too long, or a sandboxed page, to which locks are refused.
      return job(true)
    }
  }

  #tryNow<T>(locks: Locks, job: (waited: boolean) => Promise<T>): Promise<{ result: T } | null> {
    return locks.request(this.#name, { ifAvailable: true }, async (lock) =>
      lock === null ? null : { result: await job(false) },
    )
  }

  async #wait<T>(locks: Locks, job: (waited: boolean) => Promise<T>): Promise<{ result: T }> {
    const patience = new AbortController()
    const timer = setTimeout(() => patience.abort(), LONGEST_WAIT)
    try {
      return await locks.request(this.#name, { signal: patience.signal }, async () => {
        clearTimeout(timer)
        return { result: await job(true) }
      })
    } finally {
      clearTimeout(timer)
    }
  }
}
