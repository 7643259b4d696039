import type { ChatMessage } from '../../src/chat.js'
import type { ChatEnvironment, ChatSocket, PageChange } from '../../src/chat-environment.js'
import type { PortcullisClient, SessionState } from '../../src/types.js'

/** What happens to a call: it never arrives, its answer is lost, or the server says something else. */
export type CallFate = 'offline' | 'lost' | { status: number; headers?: Record<string, string> }

const ADA = { id: 1, username: 'ada', email: 'ada@example.com', first_name: '', last_name: '' }

/** A socket as a browser has it, and the server's end of it. */
export class FakeSocket implements ChatSocket {
  onopen: ((event: never) => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  onclose: ((event: { code: number }) => void) | null = null
  onerror: ((event: never) => void) | null = null
  isOpen = true
  readonly url: URL
  readonly sent: string[] = []
  readonly #room: FakeRoom

  constructor(room: FakeRoom, url: string) {
    this.#room = room
    this.url = new URL(url)
    setTimeout(() => this.#accept(), 10)
  }

  send(data: string): void {
    const { message } = JSON.parse(data) as { message: string }
    this.sent.push(message)
    setTimeout(() => this.#room.hear(this, message), 10)
  }

  close(): void {
    this.isOpen = false
  }

  /** The server sends a frame. */
  push(frame: unknown): void {
    if (this.isOpen) this.onmessage?.({ data: typeof frame === 'string' ? frame : JSON.stringify(frame) })
  }

  /** The connection ends; 1006 without a word. */
  drop(code = 1006): void {
    this.isOpen = false
    this.onclose?.({ code })
  }

  #accept(): void {
    if (!this.isOpen) return
    const refusal = this.#room.refusals.shift() ?? (this.#room.spend(this.url) ? null : 4001)
    if (refusal !== 1006) this.onopen?.(undefined as never)
    if (refusal) this.drop(refusal)
    else
      for (const message of this.#room.after(Number(this.url.searchParams.get('after')))) this.push(message)
  }
}

/** A room of a server in a variable, the browser of one of its members, and the way between them. */
export class FakeRoom {
  messages: ChatMessage[] = []
  readonly sockets: FakeSocket[] = []
  readonly calls: string[] = []
  /** The fates of the next calls to a path. */
  readonly fates: Record<'ticket' | 'history', CallFate[]> = { ticket: [], history: [] }
  /** The codes with which the next sockets are closed instead of let in. */
  readonly refusals: number[] = []
  /** What becomes of the next texts; `cut` stores it and drops the connection before it is back. */
  readonly textFates: ('cut' | 'lost' | 'refused' | 'too-long')[] = []
  session: SessionState = { status: 'signed-in', user: { ...ADA, is_staff: false, email_verified: true } }
  #tell: (change: PageChange) => void = () => undefined
  readonly #tickets = new Set<string>()
  readonly #listeners = new Set<() => void>()

  readonly environment: ChatEnvironment = {
    openSocket: (url) => {
      const socket = new FakeSocket(this, url)
      this.sockets.push(socket)
      return socket
    },
    now: () => Date.now(),
    random: () => 0,
    onPageChange: (listener) => {
      this.#tell = listener
      return () => {
        this.#tell = () => undefined
      }
    },
  }

  readonly client = {
    baseUrl: 'https://example.com',
    getSession: () => this.session,
    subscribe: (listener: () => void) => {
      this.#listeners.add(listener)
      return () => this.#listeners.delete(listener)
    },
    fetch: (path: string) => this.#answer(path),
  } as unknown as PortcullisClient

  get socket(): FakeSocket {
    return this.sockets[this.sockets.length - 1] as FakeSocket
  }

  page(change: PageChange): void {
    this.#tell(change)
  }

  become(session: SessionState): void {
    this.session = session
    for (const listener of [...this.#listeners]) listener()
  }

  /** Somebody says something; whoever listens gets it, unless the room is `silent`. */
  say(text: string, user: string | null = 'bob', silent = false): ChatMessage {
    const seq = (this.messages[this.messages.length - 1]?.seq ?? 0) + 1
    const message = { type: 'chat_message', id: seq, seq, message: text, text, user, timestamp: 'now' }
    this.messages.push(message)
    if (!silent && this.socket) this.socket.push(message)
    return message
  }

  fill(count: number): void {
    for (let index = 0; index < count; index += 1) this.say('x', 'bob', true)
  }

  hear(socket: FakeSocket, text: string): void {
    if (!socket.isOpen) return
    const fate = this.textFates.shift()
    if (fate === 'refused') socket.push({ type: 'error', message: 'Invalid message' })
    else if (fate === 'too-long') socket.drop(1009)
    else if (fate !== 'lost') this.say(text, 'ada', fate === 'cut')
    if (fate === 'lost' || fate === 'cut') socket.drop()
  }

  after(seq: number): ChatMessage[] {
    return this.messages.filter((message) => message.seq > seq)
  }

  /** A ticket opens one socket. */
  spend(url: URL): boolean {
    return this.#tickets.delete(url.searchParams.get('ticket') ?? '')
  }

  async #answer(path: string): Promise<Response> {
    const what = path.includes('ws-ticket') ? 'ticket' : 'history'
    this.calls.push(path)
    const fate = this.fates[what].shift()
    if (fate === 'offline') throw new TypeError('fetch failed')
    const body = what === 'ticket' ? this.#ticket() : this.#history(path)
    await new Promise((resolve) => setTimeout(resolve, 10))
    if (fate === 'lost') throw new TypeError('fetch failed')
    if (fate) return new Response('{}', fate)
    return new Response(JSON.stringify(body), { status: 200 })
  }

  #ticket() {
    const ticket = `ticket-${this.calls.length}`
    this.#tickets.add(ticket)
    return { ticket, expires_in: 30 }
  }

  #history(path: string) {
    const parameters = new URL(path, 'https://example.com').searchParams
    const before = Number(parameters.get('cursor') ?? Number.MAX_SAFE_INTEGER)
    const rows = this.messages.filter(({ seq }) => seq < before).reverse()
    const size = Number(parameters.get('page_size') ?? 50)
    const results = rows.slice(0, size)
    const last = results[results.length - 1]?.seq ?? 0
    // The server's public address, which is not always the client's.
    const next = rows.length > size ? `http://inside:8000/api/rooms/7/messages/?cursor=${last}` : null
    return { count: this.messages.length, next, results }
  }
}
