import type { Environment } from './environment.js'

/**
 * Remembers a logout that the server has not confirmed. A cookie that scripts cannot read cannot be deleted
 * by them either: without this, the next page load would bring back a user who has left.
 */
export class PendingLogout {
  readonly #storage: Environment['localStorage']
  readonly #key: string

  constructor(storage: Environment['localStorage'], key: string) {
    this.#storage = storage
    this.#key = key
  }

  get isNoted(): boolean {
    return this.#try((storage) => storage.getItem(this.#key) !== null) ?? false
  }

  note(): void {
    this.#try((storage) => storage.setItem(this.#key, '1'))
  }

  clear(): void {
    this.#try((storage) => storage.removeItem(this.#key))
  }

  #try<T>(use: (storage: NonNullable<Environment['localStorage']>) => T): T | undefined {
    try {
      return this.#storage ? use(this.#storage) : undefined
    } catch {
      // Full or forbidden.
      return undefined
    }
  }
}
