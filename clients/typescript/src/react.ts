import { useEffect, useMemo, useState, useSyncExternalStore } from 'react'
import { type Conversation, type ConversationSnapshot, openConversation } from './chat.js'
import type { PortcullisClient, SessionState } from './types.js'

/** Who is signed in, followed in all tabs. */
export function useSession(client: PortcullisClient): SessionState {
  return useSyncExternalStore(client.subscribe, client.getSession, client.getSession)
}

/** What a page shows of a room and does in it. The functions stay the same while the room does. */
export type RoomConversation = ConversationSnapshot &
  Pick<Conversation, 'send' | 'resend' | 'discard' | 'loadOlder' | 'reconnect'>

/** A room that is open as long as the component is there. Another room or user makes another conversation. */
export function useConversation(client: PortcullisClient, roomId: number): RoomConversation {
  const session = useSession(client)
  const userId = session.status === 'signed-in' ? session.user.id : null
  const owner = `${roomId} ${userId}`
  const [opened, setOpened] = useState<{ owner: string; conversation: Conversation } | null>(null)

  useEffect(() => {
    const conversation = openConversation(client, roomId)
    setOpened({ owner, conversation })
    return () => conversation.close()
  }, [client, roomId, owner])

  // Until the effect has run, what is there belongs to another room.
  const conversation = opened?.owner === owner ? opened.conversation : NOT_YET
  const { subscribe, getSnapshot } = conversation
  const snapshot = useSyncExternalStore(subscribe, getSnapshot, NOT_YET.getSnapshot)
  return useMemo(() => {
    const { send, resend, discard, loadOlder, reconnect } = conversation
    return { ...snapshot, send, resend, discard, loadOlder, reconnect }
  }, [conversation, snapshot])
}

const EMPTY: ConversationSnapshot = {
  state: { status: 'connecting' },
  messages: [],
  pending: [],
  hasOlder: false,
  isLoadingOlder: false,
}

const nothing = () => undefined

/** Stands in before a conversation is open. */
const NOT_YET: Conversation = {
  getSnapshot: () => EMPTY,
  subscribe: () => nothing,
  send: nothing,
  resend: nothing,
  discard: nothing,
  loadOlder: () => Promise.resolve(),
  reconnect: nothing,
  close: nothing,
}
