import { Button } from '@mantine/core'
import { IconArrowDown } from '@tabler/icons-react'
import { useState } from 'react'
import { texts } from '@/lib/texts'
import styles from './to-end.module.css'

interface Props {
  isAtEnd: boolean
  lastSeq: number
  onClick: () => void
}

/** The way back to the newest message, for whoever has scrolled up: with the count of what came since. */
export function ToEnd({ isAtEnd, lastSeq, onClick }: Props) {
  const [seenSeq, setSeenSeq] = useState(0)
  if (isAtEnd && seenSeq !== lastSeq) setSeenSeq(lastSeq)
  if (isAtEnd) return null
  const count = lastSeq - seenSeq
  return (
    <Button
      className={styles.button}
      size="xs"
      variant={count > 0 ? 'filled' : 'default'}
      radius="xl"
      leftSection={<IconArrowDown size={16} aria-hidden />}
      onClick={onClick}
    >
      {count > 0 ? texts.chat.toEnd(count) : texts.chat.toEndPlain}
    </Button>
  )
}
