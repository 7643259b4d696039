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
  const [words, setWords] = useState('')
  const heard = useRef<number>(undefined)
  const lastSeq = messages.at(-1)?.seq ?? 0
  useEffect(() => {
    if (!isOpen) return
    const from = heard.current
    heard.current = lastSeq
    if (from === undefined) return
    const isNews = ({ seq, user }: ChatMessage) => seq > from && user !== username
    const news = messages.filter(isNews)
    if (news.length > MOST) setWords(texts.chat.manyNew(news.length))
    else if (news.length > 0) setWords(news.map(({ user, text }) => `${user}: ${text}`).join('\n'))
  }, [isOpen, lastSeq, messages, username])
  return (
    <div role="status" aria-live="polite" className="visually-hidden" data-announcer>
      {words}
    </div>
  )
}
