import type { ChatMessage } from 'portcullis-client/chat'
import { useEffect, useRef, useState } from 'react'
import { texts } from '@/lib/texts'

/** More at once are counted rather than read. */
const MOST = 3

interface Props {
  isOpen: boolean
  messages: readonly ChatMessage[]
  username: string
}

/** Reads to screen readers what others say while the room is open, and nothing of its history. */
export function Announcer({ isOpen, messages, username }: Props) {
  const [news, setNews] = useState({ seq: 0, words: '' })
  const heard = useRef<number>(undefined)
  const lastSeq = messages.at(-1)?.seq ?? 0
  useEffect(() => {
    if (!isOpen) return
    const from = heard.current
    heard.current = lastSeq
    if (from === undefined) return
    const isNews = ({ seq, user }: ChatMessage) => seq > from && user !== username
    const heardNow = messages.filter(isNews)
    if (heardNow.length > 0) setNews({ seq: lastSeq, words: wordsOf(heardNow) })
  }, [isOpen, lastSeq, messages, username])
  return (
    <div role="status" aria-live="polite" className="visually-hidden" data-announcer>
      {/* The same words are read again when they are said again. */}
      <span key={news.seq}>{news.words}</span>
    </div>
  )
}

function wordsOf(messages: readonly ChatMessage[]): string {
  if (messages.length > MOST) return texts.chat.manyNew(messages.length)
  return messages.map(({ user, text }) => `${user ?? texts.rooms.gone}: ${text}`).join('\n')
}
