import type { ChatMessage } from 'portcullis-client/chat'

/** What stands in the list of messages. */
export type MessageRow =
  | { readonly kind: 'day'; readonly key: string; readonly time: string }
  | { readonly kind: 'new'; readonly key: string }
  | {
      readonly kind: 'message'
      readonly key: string
      readonly message: ChatMessage
      readonly isFirst: boolean
    }

/** What was unread when the room was opened, by number. */
export interface News {
  readonly first: number
  readonly last: number
  /** Who reads: what they said themselves is not new to them. */
  readonly reader: string
}

/** After a pause of so many milliseconds a message names its author anew. */
const PAUSE = 5 * 60_000

/**
 * Messages with a line before each day and before the first new one; `isFirst` is the first of somebody's in a
 * row.
 */
export function toRows(messages: readonly ChatMessage[], news?: News): MessageRow[] {
  const firstNew = news && messages.find((message) => isNews(message, news))?.seq
  const rows: MessageRow[] = []
  let before: ChatMessage | undefined
  let day = Number.NEGATIVE_INFINITY
  for (const message of messages) {
    const { seq, timestamp } = message
    // Where clocks differ, a time may lie before that of an earlier message: no day comes twice.
    const isNewDay = dayOf(message) > day
    if (isNewDay) {
      day = dayOf(message)
      rows.push({ kind: 'day', key: `day-${day}`, time: timestamp })
    }
    const isNew = seq === firstNew
    if (isNew) rows.push({ kind: 'new', key: 'new' })
    const isFirst = isNewDay || isNew || !before || !continues(before, message)
    rows.push({ kind: 'message', key: `message-${seq}`, message, isFirst })
    before = message
  }
  return rows
}

function isNews({ seq, user }: ChatMessage, { first, last, reader }: News): boolean {
  return first <= seq && seq <= last && user !== reader
}

function continues(before: ChatMessage, message: ChatMessage): boolean {
  return before.user === message.user && timeOf(message) - timeOf(before) < PAUSE
}

function timeOf({ timestamp }: ChatMessage): number {
  return new Date(timestamp).getTime()
}

/** When its day began in the reader's time zone. */
function dayOf({ timestamp }: ChatMessage): number {
  return new Date(timestamp).setHours(0, 0, 0, 0)
}
