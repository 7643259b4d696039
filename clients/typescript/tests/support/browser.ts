import { createClientIn } from '../../src/client.js'
import type { Channel, Environment, Locks } from '../../src/environment.js'
import type { ClientOptions, PortcullisClient } from '../../src/types.js'
import { FakeNetwork } from './network.js'
import { FakeServer, type Jar } from './server.js'

export const ORIGIN = 'https://example.com'
const MESSAGE_LATENCY = 5

/** A browser with tabs, which share cookies, storage, locks and messages; and the server it talks to. */
export class FakeBrowser {
  readonly server: FakeServer
  readonly network: FakeNetwork
  readonly jar: Jar = {}
  readonly stored = new Map<string, string>()
  /** False for a browser without Web Locks, or without messages between tabs. */
  hasLocks = true
  hasChannels = true
  readonly #held = new Map<string, (() => void)[]>()
  readonly #receivers: { name: string; receive: (message: unknown) => void }[] = []

  constructor(server = new FakeServer()) {
    this.server = server
    this.network = new FakeNetwork(server)
  }

  /** Opens a page of this origin. */
  tab(options: ClientOptions = {}, more: Partial<Environment> = {}): PortcullisClient {
    return createClientIn({ ...this.environment(), ...more }, options)
  }

  environment(): Environment {
    return {
      fetch: this.network.fetch(ORIGIN, this.jar),
      now: () => Date.now(),
      locks: this.hasLocks ? this.#locks() : null,
      openChannel: (name, receive) => (this.hasChannels ? this.#open(name, receive) : null),
      pageOrigin: ORIGIN,
      readCookies: () => (this.jar.csrftoken ? `theme=dark; csrftoken=${this.jar.csrftoken}` : ''),
      localStorage: {
        getItem: (key) => this.stored.get(key) ?? null,
        setItem: (key, value) => void this.stored.set(key, value),
        removeItem: (key) => void this.stored.delete(key),
      },
      isOnline: () => this.network.isOnline,
      onReturn: () => () => undefined,
    }
  }

  /** As when the tab that holds the lock is closed. */
  releaseLocks(): void {
    for (const name of [...this.#held.keys()]) this.#release(name)
  }

  #open(name: string, receive: (message: unknown) => void): Channel {
    const own = { name, receive }
    this.#receivers.push(own)
    return {
      post: (message) => {
        const copy = structuredClone(message)
        const others = this.#receivers.filter((other) => other !== own && other.name === name)
        for (const other of others)
          setTimeout(() => this.#receivers.includes(other) && other.receive(copy), MESSAGE_LATENCY)
      },
      close: () => void this.#receivers.splice(this.#receivers.indexOf(own), 1),
    }
  }

  #locks(): Locks {
    return {
      request: async (name, { ifAvailable, signal }, callback) => {
        if (this.#held.has(name)) {
          if (ifAvailable) return callback(null)
          await this.#turn(name, signal)
        } else {
          this.#held.set(name, [])
        }
        const queue = this.#held.get(name)
        try {
          return await callback({ name })
        } finally {
          if (this.#held.get(name) === queue) this.#release(name)
        }
      },
    }
  }

  #turn(name: string, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const queue = this.#held.get(name)
      queue?.push(resolve)
      signal?.addEventListener('abort', () => {
        const index = queue?.indexOf(resolve) ?? -1
        if (index >= 0) queue?.splice(index, 1)
        reject(new DOMException('aborted', 'AbortError'))
      })
    })
  }

  /** The next in line gets a queue of its own, so that a closed tab's late end changes nothing. */
  #release(name: string): void {
    const queue = this.#held.get(name) ?? []
    const next = queue.shift()
    if (!next) return void this.#held.delete(name)
    this.#held.set(name, [...queue])
    next()
  }
}
