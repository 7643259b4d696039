import { type ChatEnvironment, type ChatSocket, detectChatEnvironment } from './chat-environment.js'
import { LiveConversation } from './conversation.js'
import type { PortcullisClient } from './types.js'

export type { ChatSocket } from './chat-environment.js'

/** A message, as the socket and the history send it. */
export interface ChatMessage {
  readonly id: number
  /** Its number in the room: from 1 on, without a gap. */
  readonly seq: number
  /** The text with HTML's characters escaped, for whoever puts it into HTML by hand. */
  readonly message: string
  /** The text as it was typed: encode it where it is shown, as React does. */
  readonly text: string
  /** Who said it; null when the account is gone. */
  readonly user: string | null
  /** ISO 8601. */
  readonly timestamp: string
}

/** A text on its way, or, with a `problem`, one that did not get there. */
export interface PendingText {
  readonly key: string
  readonly text: string
  /** Why it was not stored, or is not known to be, in a sentence: `resend` or `discard` it. */
  readonly problem?: string
}

export type ConversationState =
  /** An attempt that follows no failure: the first one, or one that replaces a socket whose token ran out. */
  | { readonly status: 'connecting' }
  | { readonly status: 'open' }
  /** The connection was lost. `retryAt`, in milliseconds since 1970, is past while an attempt is under way. */
  | { readonly status: 'waiting'; readonly attempt: number; readonly retryAt: number }
  /**
   * Nothing more comes: `closed` by us; `forbidden`, no member or no such room; `signed-out`, or somebody else
   * signed in; `flooding`, too many frames.
   */
  | { readonly status: 'closed'; readonly reason: ClosedReason }

export type ClosedReason = 'closed' | 'forbidden' | 'signed-out' | 'flooding'

export interface ConversationSnapshot {
  readonly state: ConversationState
  /** Ascending by `seq`, each once, without a gap. */
  readonly messages: readonly ChatMessage[]
  readonly pending: readonly PendingText[]
  /** Whether the history has more before the first message. */
  readonly hasOlder: boolean
  readonly isLoadingOlder: boolean
}

/** One room, kept up to date until `close`. The methods need no `this`. */
export interface Conversation {
  /** What to show; the same object until something changes. */
  getSnapshot(): ConversationSnapshot
  /** Calls `listener` after every change; returns the function that ends it. */
  subscribe(listener: () => void): () => void
  /** Says something: pending at once, sent as soon as the socket is open, in order. Blank texts are ignored. */
  send(text: string): void
  /** Sends a text again that has a `problem`. */
  resend(key: string): void
  /** Drops a text that has a `problem`. */
  discard(key: string): void
  /** Puts a page of the history before `messages`. Rejects as `client.request` does. */
  loadOlder(): Promise<void>
  /** Tries at once instead of at `retryAt`, or again after `forbidden` and `flooding`. */
  reconnect(): void
  close(): void
}

export interface ConversationOptions {
  /** Opens a WebSocket where there is no global one, as in Node before 22. */
  webSocket?: (url: string) => ChatSocket
}

/**
 * Opens a room that the user is in, and keeps it open until `close`.
 *
 * @example
 * ```ts
 * const conversation = openConversation(client, 7)
 * conversation.subscribe(() => show(conversation.getSnapshot().messages))
 * conversation.send('Hello')
 * ```
 */
export function openConversation(
  client: PortcullisClient,
  roomId: number,
  options: ConversationOptions = {},
): Conversation {
  return openConversationIn(detectChatEnvironment(options.webSocket), client, roomId)
}

/** The same in an environment of one's own. */
export function openConversationIn(
  environment: ChatEnvironment,
  client: PortcullisClient,
  roomId: number,
): Conversation {
  return new LiveConversation(environment, client, roomId)
}
