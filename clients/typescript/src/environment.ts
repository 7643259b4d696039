import { openChannel } from './channel.js'
import type { ClientOptions } from './types.js'

/** The part of `navigator.locks` that is used. */
export interface Locks {
  request<T>(
    name: string,
    options: { ifAvailable?: boolean; signal?: AbortSignal },
    callback: (lock: unknown) => Promise<T>,
  ): Promise<T>
}

/** Messages between the tabs of an origin. */
export interface Channel {
  post(message: unknown): void
  close(): void
}

/** Everything outside the client, so that tests can stand in for it. */
export interface Environment {
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>
  /** Milliseconds since 1970. */
  now(): number
  /** Null where there are no tabs, or none that can be locked. */
  locks: Locks | null
  openChannel(name: string, receive: (message: unknown) => void): Channel | null
  /** The origin of the page, null outside a page. */
  pageOrigin: string | null
  /** The cookies that scripts may read. */
  readCookies(): string
  /** Null where it is missing or forbidden. */
  localStorage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | null
  /** False only when a call is sure to fail. */
  isOnline(): boolean
  /** Calls back when a page that was put aside is shown again; returns what ends it. */
  onReturn(listener: () => void): () => void
}

/**
 * The real thing. Tabs exist only in a page: in Node, where a process may hold clients of many users, a
 * shared channel or lock would mix them up.
 */
export function detectEnvironment(options: ClientOptions): Environment {
  const call = options.fetch ?? globalThis.fetch
  const outside: Environment = {
    // Called without an object: browsers refuse a `fetch` whose `this` is not the window.
    fetch: (input, init) => call(input, init),
    now: options.now ?? Date.now,
    locks: null,
    openChannel: () => null,
    pageOrigin: null,
    readCookies: () => '',
    localStorage: null,
    isOnline: () => true,
    onReturn: () => () => undefined,
  }
  const isPage = typeof document !== 'undefined' && typeof location !== 'undefined'
  return isPage ? { ...outside, ...page() } : outside
}

function page(): Omit<Environment, 'fetch' | 'now'> {
  return {
    // Missing in a Safari before 15.4 and on plain http, whatever the types say.
    locks: (navigator as { locks?: Locks }).locks ?? null,
    openChannel,
    pageOrigin: /^https?:/.test(location.origin) ? location.origin : null,
    readCookies: () => document.cookie,
    localStorage: findLocalStorage(),
    isOnline: () => navigator.onLine !== false,
    onReturn(listener) {
      const listen = (event: PageTransitionEvent) => event.persisted && listener()
      addEventListener('pageshow', listen)
      return () => removeEventListener('pageshow', listen)
    },
  }
}

/** Reading the property already throws where the user has forbidden storage. */
function findLocalStorage(): Storage | null {
  try {
    return globalThis.localStorage ?? null
  } catch {
    return null
  }
}
