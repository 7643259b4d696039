import type { ChatMessage } from './chat.js'
import type { History } from './room-calls.js'

/** The messages of a room from some point on, each once and without a gap. */
export class Timeline {
  messages: readonly ChatMessage[] = []
  /** Where the page before the first message is; null when there is none. */
  older: string | null = null
  #isStarted = false

  /** The number of the newest message; null before the history was read. */
  get last(): number | null {
    return this.#isStarted ? (this.messages[this.messages.length - 1]?.seq ?? 0) : null
  }

  /** `known` is a message that is here already, `gap` one whose predecessor is not. Only `new` is added. */
  append(message: ChatMessage): 'new' | 'known' | 'gap' {
    const last = this.last ?? 0
    if (message.seq <= last) return 'known'
    if (message.seq > last + 1) return 'gap'
    this.messages = [...this.messages, message]
    return 'new'
  }

  /** Adds the newest rows of the history, and gives those that were not here. What they do not join gives way. */
  merge({ rows, next }: History): ChatMessage[] {
    const ascending = [...rows].reverse()
    const { last } = this
    this.#isStarted = true
    const first = ascending[0]?.seq ?? 1
    const newest = rows[0]?.seq ?? 0
    // A server that was set back to a backup has fewer than we know.
    const joins = last !== null && last > 0 && first <= last + 1 && newest >= last
    if (!joins) {
      this.messages = ascending
      this.older = next
      return ascending
    }
    const fresh = ascending.filter(({ seq }) => seq > last)
    if (fresh.length > 0) this.messages = [...this.messages, ...fresh]
    return fresh
  }

  /** Puts a page before the first message, unless the messages are others by now. */
  prepend({ rows, next }: History): void {
    const first = this.messages[0]?.seq
    const older = rows.filter(({ seq }) => first !== undefined && seq < first).reverse()
    if (older.length > 0 && older[older.length - 1]?.seq !== (first ?? 0) - 1) return
    this.messages = [...older, ...this.messages]
    this.older = next
  }
}
