/** The part of a WebSocket that is used. */
export interface ChatSocket {
  onopen: ((event: never) => void) | null
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: ((event: { code: number }) => void) | null
  onerror: ((event: never) => void) | null
  send(data: string): void
  close(): void
}

/** What becomes of the page and its network. */
export type PageChange = 'online' | 'offline' | 'hidden' | 'shown'

/** Everything outside a conversation, so that tests can stand in for it. */
export interface ChatEnvironment {
  openSocket(url: string): ChatSocket
  /** Milliseconds since 1970. */
  now(): number
  /** From 0 up to 1. */
  random(): number
  /** Returns what ends it. */
  onPageChange(listener: (change: PageChange) => void): () => void
}

export function detectChatEnvironment(openSocket?: (url: string) => ChatSocket): ChatEnvironment {
  if (!openSocket && typeof WebSocket === 'undefined') {
    throw new TypeError('openConversation needs the option webSocket: there is no global WebSocket here')
  }
  return {
    openSocket: openSocket ?? ((url) => new WebSocket(url) as ChatSocket),
    now: () => Date.now(),
    random: () => Math.random(),
    onPageChange: typeof document === 'undefined' ? () => () => undefined : listenToPage,
  }
}

function listenToPage(listener: (change: PageChange) => void): () => void {
  const controller = new AbortController()
  const { signal } = controller
  addEventListener('online', () => listener('online'), { signal })
  addEventListener('offline', () => listener('offline'), { signal })
  const tell = () => listener(document.visibilityState === 'hidden' ? 'hidden' : 'shown')
  document.addEventListener('visibilitychange', tell, { signal })
  // A page that was put aside and is shown again has lost its socket.
  addEventListener('pageshow', (event) => event.persisted && listener('online'), { signal })
  return () => controller.abort()
}
