import type { ChatMessage } from './chat.js'
import { ApiError } from './errors.js'
import type { PortcullisClient } from './types.js'

/** Until an answer is here. */
const TIMEOUT = 15_000
const PAGE_SIZE = 50
/** Of the history, that are read to join what is new to what is known. */
const MAX_PAGES = 10

/** Rows of the history, the newest first, and where the next page is. */
export interface History {
  readonly rows: ChatMessage[]
  readonly next: string | null
}

/** The calls of one room. */
export class RoomCalls {
  readonly #client: PortcullisClient
  readonly #roomId: number

  constructor(client: PortcullisClient, roomId: number) {
    this.#client = client
    this.#roomId = roomId
  }

  /** Where a socket opens that continues after a message. A ticket opens one. */
  socketUrl(ticket: string, after: number): string {
    const base = this.#client.baseUrl.replace(/^http/i, 'ws')
    return `${base}/ws/chat/${this.#roomId}/?ticket=${encodeURIComponent(ticket)}&after=${after}`
  }

  async ticket(): Promise<string> {
    const answer = await this.#json<{ ticket: string }>('POST', '/api/auth/ws-ticket/')
    return answer.ticket
  }

  /** The newest messages, at least as far back as to the one after `after`, unless that is too far. */
  async newest(after: number | null): Promise<History> {
    let { rows, next } = await this.page(null)
    for (let count = 1; count < MAX_PAGES && next !== null && !reaches(rows, after); count += 1) {
      const page = await this.page(next)
      rows = [...rows, ...page.rows]
      next = page.next
    }
    return { rows, next }
  }

  /** The number of the newest message; 0 when there is none. */
  async lastNumber(): Promise<number> {
    const { rows } = await this.page('?page_size=1')
    return rows[0]?.seq ?? 0
  }

  /** A page of the history; null is the newest. */
  async page(place: string | null): Promise<History> {
    const path = `/api/rooms/${this.#roomId}/messages/${place ?? `?page_size=${PAGE_SIZE}`}`
    const { results, next } = await this.#json<{ results: ChatMessage[]; next?: string | null }>('GET', path)
    // The server's own address is not always the one by which it is reached.
    return { rows: results, next: next ? next.slice(next.indexOf('?')) : null }
  }

  async #json<T>(method: string, path: string): Promise<T> {
    const controller = new AbortController()
    const timer = setTimeout(() => controller.abort(), TIMEOUT)
    try {
      const headers = { Accept: 'application/json' }
      const response = await this.#client.fetch(path, { method, headers, signal: controller.signal })
      if (!response.ok) throw await ApiError.from(response)
      return (await response.json()) as T
    } finally {
      clearTimeout(timer)
    }
  }
}

/** Whether nothing is missing between rows, the newest first, and the message `after`. */
export function reaches(rows: readonly ChatMessage[], after: number | null): boolean {
  const oldest = rows[rows.length - 1]
  return after === null || oldest === undefined || oldest.seq <= after + 1
}
