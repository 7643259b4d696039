import { useConversation } from 'portcullis-client/react'
import { useCallback, useEffect } from 'react'
import { client } from '@/lib/client'
import type { Room } from '@/lib/community-types'
import { useUser } from '@/lib/session-user'
import { useMarkRead } from '../api/unread'
import { useLogScroll } from '../lib/use-log-scroll'
import { useVisible } from '../lib/use-visible'
import { Announcer } from './announcer'
import { Composer } from './composer'
import { ConnectionState } from './connection-state'
import styles from './conversation-pane.module.css'
import { MessageLog } from './message-log'
import { ToEnd } from './to-end'

/** What is said in a room, and saying something. */
export function ConversationPane({ room, onGone }: { room: Room; onGone: () => void }) {
  const conversation = useConversation(client, room.id)
  const { state, messages, hasOlder, isLoadingOlder, loadOlder, send } = conversation
  const username = useUser()?.username ?? ''
  const lastSeq = messages.at(-1)?.seq ?? 0

  const askOlder = useCallback(() => {
    // A failure leaves the button that asks again.
    if (hasOlder && !isLoadingOlder) loadOlder().catch(() => undefined)
  }, [hasOlder, isLoadingOlder, loadOlder])
  const scroll = useLogScroll(messages.length, askOlder)
  useMarkRead(room.id, lastSeq, useVisible() && scroll.isAtEnd && lastSeq > 0)
  useEffect(() => {
    if (state.status === 'closed' && state.reason === 'forbidden') onGone()
  }, [state, onGone])

  const say = (text: string) => {
    scroll.toEnd()
    send(text)
  }
  return (
    <div className={styles.pane}>
      <ConnectionState state={state} onReconnect={conversation.reconnect} />
      <div className={styles.middle}>
        <MessageLog
          conversation={conversation}
          room={room.id}
          username={username}
          scroll={scroll}
          onOlder={askOlder}
        />
        <ToEnd isAtEnd={scroll.isAtEnd} lastSeq={lastSeq} onClick={scroll.toEnd} />
      </div>
      <Announcer isOpen={state.status === 'open'} messages={messages} username={username} />
      <Composer onSend={say} />
    </div>
  )
}
