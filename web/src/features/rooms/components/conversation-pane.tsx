import { useConversation } from 'portcullis-client/react'
import { useEffect } from 'react'
import { LeaveGuard } from '@/components/leave-guard'
import { client } from '@/lib/client'
import type { Room } from '@/lib/community-types'
import { useUser } from '@/lib/session-user'
import { texts } from '@/lib/texts'
import { useMarkRead } from '../api/unread'
import { useAskOlder } from '../lib/use-ask-older'
import { useLogScroll } from '../lib/use-log-scroll'
import { useVisible } from '../lib/use-visible'
import { Announcer } from './announcer'
import { Composer } from './composer'
import { ConnectionState } from './connection-state'
import styles from './conversation-pane.module.css'
import { MessageLog } from './message-log'
import { ToEnd } from './to-end'

interface Props {
  room: Room
  /** Something lies over it, so that nobody reads it. */
  isCovered: boolean
  onGone: () => void
}

/** What is said in a room, and saying something. */
export function ConversationPane({ room, isCovered, onGone }: Props) {
  const conversation = useConversation(client, room.id)
  const { state, messages, pending, send } = conversation
  const username = useUser()?.username ?? ''
  const lastSeq = messages.at(-1)?.seq ?? 0

  const { ask, askByItself } = useAskOlder(conversation.hasOlder, conversation.loadOlder)
  const scroll = useLogScroll(messages.length, askByItself)
  const isSeen = useVisible() && !isCovered && scroll.isAtEnd && lastSeq > 0
  useMarkRead(room.id, lastSeq, isSeen)
  useEffect(() => {
    if (state.status === 'closed' && state.reason === 'forbidden') onGone()
  }, [state, onGone])

  const say = (text: string) => {
    scroll.toEnd()
    send(text)
  }
  const goToEnd = () => {
    scroll.toEnd()
    // The button goes away, and must not take the focus with it.
    scroll.focus()
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
          onOlder={ask}
        />
        <ToEnd isAtEnd={scroll.isAtEnd} lastSeq={lastSeq} onClick={goToEnd} />
      </div>
      <Announcer isOpen={state.status === 'open'} messages={messages} username={username} />
      <Composer onSend={say} />
      <LeaveGuard
        isDirty={pending.some(({ problem }) => problem === undefined)}
        isSaved={pending.length === 0}
        words={texts.chat.leaving}
      />
    </div>
  )
}
