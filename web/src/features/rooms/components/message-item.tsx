import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import type { ChatMessage } from 'portcullis-client/chat'
import { memo } from 'react'
import { Avatar } from '@/components/avatar'
import { texts } from '@/lib/texts'
import { formatDayName, formatMoment, formatTime } from '@/lib/time'
import styles from './message-item.module.css'

const t = texts.chat

interface Props {
  message: ChatMessage
  /** Of its author in a row. */
  isFirst: boolean
  isOwn: boolean
}

/** A message. Its text is shown as it was typed, whatever it holds. */
export const MessageItem = memo(function MessageItem({ message, isFirst, isOwn }: Props) {
  const { seq, text, user, timestamp } = message
  const name = isOwn ? t.you : (user ?? texts.rooms.gone)
  return (
    <li className={styles.item} data-seq={seq} data-own={isOwn} data-first={isFirst}>
      {isFirst && !isOwn && <Avatar username={user ?? '?'} />}
      <div className={styles.body}>
        {isFirst && !isOwn && <Author user={user} />}
        <p className={styles.bubble}>
          {(!isFirst || isOwn) && (
            <span className="visually-hidden">{t.said(name, formatTime(timestamp))} </span>
          )}
          <span dir="auto" className={styles.text}>
            {text}
          </span>
          <time dateTime={timestamp} title={formatMoment(timestamp)}>
            {formatTime(timestamp)}
          </time>
        </p>
      </div>
    </li>
  )
})

function Author({ user }: { user: string | null }) {
  if (user === null) return <span className={styles.author}>{texts.rooms.gone}</span>
  return (
    <Link to="/people/$username" params={{ username: user }} className={styles.author}>
      {user}
    </Link>
  )
}

interface PendingProps {
  text: string
  problem: string | undefined
  onResend: () => void
  onDiscard: () => void
}

/** What is not in the room yet. */
export function PendingItem({ text, problem, onResend, onDiscard }: PendingProps) {
  return (
    <li className={styles.item} data-own data-first data-pending={problem ? 'failed' : 'waits'}>
      <div className={styles.body}>
        <p className={styles.bubble}>
          <span className="visually-hidden">{t.you}: </span>
          <span dir="auto" className={styles.text}>
            {text}
          </span>
          <span className={styles.mark}>{problem ? t.notSent : t.sending}</span>
        </p>
        {problem && (
          <div className={styles.failed} role="alert">
            <span>{problem}</span>
            <Button size="compact-xs" variant="subtle" onClick={onResend}>
              {t.resend}
            </Button>
            <Button size="compact-xs" variant="subtle" color="danger" onClick={onDiscard}>
              {t.discard}
            </Button>
          </div>
        )}
      </div>
    </li>
  )
}

/** A day begins. */
export function DayLine({ time }: { time: string }) {
  return (
    <li className={styles.line}>
      <span>{formatDayName(time)}</span>
    </li>
  )
}

/** What follows was not read before. */
export function NewLine() {
  return (
    <li className={styles.line} data-new>
      <span>{t.new}</span>
    </li>
  )
}
