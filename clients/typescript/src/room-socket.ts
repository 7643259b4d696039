import type { ChatMessage } from './chat.js'
import type { ChatEnvironment, ChatSocket } from './chat-environment.js'

/** Until a socket is open. */
const TIMEOUT = 15_000
/** How a browser names a connection that ended without a word. */
const LOST = 1006

/** What a socket tells; nothing after `closed`. */
export interface SocketEvents {
  opened(): void
  message(message: ChatMessage): void
  /** The server refused a text, and says why. */
  error(problem: string): void
  /** With the code, and for how many milliseconds it was open. */
  closed(code: number, age: number): void
}

/** One WebSocket in a room. */
export class RoomSocket {
  readonly #socket: ChatSocket
  readonly #timer: ReturnType<typeof setTimeout>

  constructor(environment: ChatEnvironment, url: string, events: SocketEvents) {
    let openedAt: number | null = null
    const socket = environment.openSocket(url)
    this.#socket = socket
    this.#timer = setTimeout(() => {
      this.close()
      events.closed(LOST, 0)
    }, TIMEOUT)
    socket.onopen = () => {
      clearTimeout(this.#timer)
      openedAt = environment.now()
      events.opened()
    }
    socket.onmessage = ({ data }) => {
      const frame = parse(data)
      if (frame?.type === 'error' && typeof frame.message === 'string') events.error(frame.message)
      if (isMessage(frame)) events.message(frame)
    }
    // What an error means is in the close that follows.
    socket.onerror = () => undefined
    socket.onclose = ({ code }) => {
      clearTimeout(this.#timer)
      events.closed(code, openedAt === null ? 0 : environment.now() - openedAt)
    }
  }

  send(text: string): void {
    try {
      this.#socket.send(JSON.stringify({ message: text }))
    } catch {
      // Not open any more: its close says so.
    }
  }

  /** Ends it, and hears no more of it. */
  close(): void {
    clearTimeout(this.#timer)
    this.#socket.onopen = null
    this.#socket.onmessage = null
    this.#socket.onclose = null
    this.#socket.close()
  }
}

function parse(data: unknown): Record<string, unknown> | null {
  try {
    const frame: unknown = typeof data === 'string' ? JSON.parse(data) : null
    return typeof frame === 'object' ? (frame as Record<string, unknown> | null) : null
  } catch {
    return null
  }
}

function isMessage(frame: unknown): frame is ChatMessage {
  const { type, seq, text } = (frame ?? {}) as Record<string, unknown>
  return type === 'chat_message' && Number.isSafeInteger(seq) && typeof text === 'string'
}
