import { Button, Loader, Text } from '@mantine/core'
import type { useConversation } from 'portcullis-client/react'
import { useMemo, useState } from 'react'
import { texts } from '@/lib/texts'
import { useUnread } from '../api/unread'
import { type News, toRows } from '../lib/message-rows'
import type { useLogScroll } from '../lib/use-log-scroll'
import { DayLine, MessageItem, NewLine, PendingItem } from './message-item'
import styles from './message-log.module.css'

const t = texts.chat

interface Props {
  conversation: ReturnType<typeof useConversation>
  room: number
  username: string
  scroll: ReturnType<typeof useLogScroll>
  onOlder: () => void
}

/** The messages, from the oldest that is loaded to what is still on its way. */
export function MessageLog({ conversation, room, username, scroll, onOlder }: Props) {
  const { state, messages, pending, hasOlder, isLoadingOlder } = conversation
  const news = useNews(room, username, messages.at(-1)?.seq)
  const rows = useMemo(() => toRows(messages, news), [messages, news])
  const isEmpty = rows.length === 0 && pending.length === 0
  const settle = (act: (key: string) => void, key: string) => {
    act(key)
    // Its buttons go away, and must not take the focus with them.
    scroll.focus()
  }
  return (
    <section
      ref={scroll.ref}
      onScroll={scroll.onScroll}
      className={styles.log}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard.
      tabIndex={0}
      aria-label={t.log}
    >
      {isEmpty && state.status === 'connecting' && <Opening />}
      {isEmpty && state.status === 'open' && <p className={styles.empty}>{t.empty}</p>}
      {!isEmpty && (
        <div className={styles.top}>
          <Beginning hasOlder={hasOlder} isLoading={isLoadingOlder} onOlder={onOlder} />
        </div>
      )}
      <ol>
        {rows.map((row) => {
          if (row.kind === 'day') return <DayLine key={row.key} time={row.time} />
          if (row.kind === 'new') return <NewLine key={row.key} />
          const { key, message, isFirst } = row
          const isOwn = message.user === username
          return <MessageItem key={key} message={message} isFirst={isFirst} isOwn={isOwn} />
        })}
        {pending.map((text) => (
          <PendingItem
            key={text.key}
            text={text.text}
            problem={text.problem}
            onResend={() => settle(conversation.resend, text.key)}
            onDiscard={() => settle(conversation.discard, text.key)}
          />
        ))}
      </ol>
    </section>
  )
}

/** What was unread when the room was opened. */
function useNews(room: number, reader: string, lastSeq: number | undefined): News | undefined {
  const unread = useUnread().get(room) ?? 0
  const [news, setNews] = useState<News>()
  if (!news && lastSeq !== undefined) setNews({ first: lastSeq - unread + 1, last: lastSeq, reader })
  return news
}

function Opening() {
  return (
    <div role="status" className={styles.empty}>
      <Loader size="sm" aria-hidden />
      <span className="visually-hidden">{t.opening}</span>
    </div>
  )
}

function Beginning(props: { hasOlder: boolean; isLoading: boolean; onOlder: () => void }) {
  if (!props.hasOlder) {
    return (
      <Text size="sm" c="dimmed">
        {t.beginning}
      </Text>
    )
  }
  return (
    <Button variant="subtle" size="xs" loading={props.isLoading} onClick={props.onOlder}>
      {t.older}
    </Button>
  )
}
