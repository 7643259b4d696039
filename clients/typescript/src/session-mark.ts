import type { Environment } from './environment.js'

/** Somebody signed in here, or signed out without the server having heard of it. */
type Mark = 'signed-in' | 'signing-out'

/**
 * What a page should know before it asks, since the cookie of the session cannot be seen by scripts.
 *
 * Without `signed-in` visitors need not ask at all. `signing-out` outlives a page that was left too soon or
 * was offline: a script cannot delete the cookie either, and the next page load would bring the user back.
 * It is no secret, and where storage is forbidden everything works but for these two.
 */
export class SessionMark {
  readonly #storage: Environment['localStorage']
  readonly #key: string

  constructor(storage: Environment['localStorage'], key: string) {
    this.#storage = storage
    this.#key = key
  }

  /** Undefined where nothing can be kept. */
  get(): Mark | null | undefined {
    try {
      return this.#storage?.getItem(this.#key) as Mark | null | undefined
    } catch {
      return undefined
    }
  }

  set(mark: Mark | null): void {
    try {
      if (mark) this.#storage?.setItem(this.#key, mark)
      else this.#storage?.removeItem(this.#key)
    } catch {
      // Full or forbidden.
    }
  }
}
