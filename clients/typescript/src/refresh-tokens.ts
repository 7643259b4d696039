import type { TokenStorage } from './types.js'

/** Keeps the refresh token where a reload forgets it. */
export function memoryStorage(): TokenStorage {
  let kept: string | null = null
  return {
    get: () => kept,
    set(token) {
      kept = token
    },
  }
}

/** The refresh token of body mode, in a storage that may fail: a phone's key store is shut while locked. */
export class RefreshTokens {
  readonly #storage: TokenStorage
  #unsaved: string | null = null

  constructor(storage: TokenStorage) {
    this.#storage = storage
  }

  async get(): Promise<string | null> {
    return this.#unsaved ?? (await this.#storage.get())
  }

  /** A token that cannot be kept is used until the page goes, since its predecessor is spent. */
  async set(token: string | null): Promise<void> {
    try {
      await this.#storage.set(token)
      this.#unsaved = null
    } catch {
      this.#unsaved = token
    }
  }

  /** Drops what another tab's sign-out does not reach. */
  forgetUnsaved(): void {
    this.#unsaved = null
  }
}
