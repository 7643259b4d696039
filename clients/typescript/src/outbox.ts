import type { ChatMessage, PendingText } from './chat.js'

/** The limit of the server is 60 frames in 10 s. */
const MAX_SENT = 50
const WINDOW = 10_000

interface Entry {
  readonly key: string
  readonly text: string
  readonly problem?: string
}

/**
 * What was typed and has not come back. One text is under way at a time: so they keep their order, an error
 * frame, which names no text, means that one, and after a lost connection only one is in doubt.
 */
export class Outbox {
  #entries: readonly Entry[] = []
  /** The text that was sent and has not come back, and the number of the newest message then. */
  #sent: { key: string; after: number } | null = null
  #isUnderWay = false
  #count = 0
  #times: number[] = []

  get pending(): readonly PendingText[] {
    return this.#entries
  }

  add(text: string): void {
    this.#count += 1
    this.#entries = [...this.#entries, { key: String(this.#count), text }]
  }

  discard(key: string): void {
    this.#entries = this.#entries.filter((entry) => entry.key !== key || entry.problem === undefined)
  }

  /** At the end, since others may have been sent meanwhile. */
  resend(key: string): void {
    const entry = this.#entries.find((entry) => entry.key === key && entry.problem !== undefined)
    if (!entry) return
    this.discard(key)
    this.#entries = [...this.#entries, { key, text: entry.text }]
  }

  /** Milliseconds until the server takes another one. */
  pause(now: number): number {
    this.#times = this.#times.filter((time) => now - time < WINDOW && time <= now)
    const [oldest] = this.#times
    return oldest === undefined || this.#times.length < MAX_SENT ? 0 : WINDOW - (now - oldest)
  }

  /** Takes the next text to send; null when there is none, or one is under way. */
  take(after: number, now: number): string | null {
    if (this.#isUnderWay) return null
    const entry = this.#entries.find(({ problem }) => problem === undefined)
    if (!entry) return null
    this.#isUnderWay = true
    this.#sent = { key: entry.key, after }
    this.#times.push(now)
    return entry.text
  }

  /** Whether a text of ours is still expected back. */
  get isUnderWay(): boolean {
    return this.#isUnderWay
  }

  /** Whether a text was sent by a connection that is gone. */
  get isInDoubt(): boolean {
    return this.#sent !== null && !this.#isUnderWay
  }

  /** A message that we did not know: perhaps the one that was sent, even by a connection that is gone. */
  settle(message: ChatMessage, username: string | undefined): void {
    const sent = this.#sent
    const entry = this.#entries.find(({ key }) => key === sent?.key)
    if (!sent || !entry || message.user !== username) return
    if (message.seq <= sent.after || message.text !== entry.text) return
    this.#entries = this.#entries.filter(({ key }) => key !== sent.key)
    this.#end()
  }

  /** The server has not stored it. */
  refuse(problem: string): void {
    if (this.#isUnderWay) this.#failSent(problem)
  }

  /** Whether the text in doubt was stored cannot be found out: its author decides. */
  giveUp(problem: string): void {
    if (this.isInDoubt) this.#failSent(problem)
  }

  /** The connection is gone: what was sent is in the history by the next one, is sent again, or is given up. */
  interrupt(): void {
    this.#isUnderWay = false
  }

  /** Nothing of this will be sent. */
  fail(problem: string): void {
    if (this.#entries.length > 0) this.#entries = this.#entries.map((entry) => ({ problem, ...entry }))
    this.#end()
  }

  #failSent(problem: string): void {
    const key = this.#sent?.key
    this.#entries = this.#entries.map((entry) => (entry.key === key ? { ...entry, problem } : entry))
    this.#end()
  }

  #end(): void {
    this.#isUnderWay = false
    this.#sent = null
  }
}

/** As the server will store it: what it takes for white space and what we do, both are gone. */
export function trim(text: string): string {
  return text.replace(/^[\s\u0085]+|[\s\u0085]+$/g, '')
}
