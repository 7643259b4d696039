import { Button } from '@mantine/core'
import { IconAlertCircle, IconPlugConnectedX } from '@tabler/icons-react'
import type { ConversationState } from 'portcullis-client/chat'
import type { ReactNode } from 'react'
import { texts } from '@/lib/texts'
import { formatWait, useCountdown } from '@/lib/time'
import styles from './connection-state.module.css'

const t = texts.chat

interface Props {
  state: ConversationState
  onReconnect: () => void
}

/** Says what is wrong with the connection, for as long as something is. */
export function ConnectionState({ state, onReconnect }: Props) {
  const isFlooding = state.status === 'closed' && state.reason === 'flooding'
  return (
    <div role="status">
      {state.status === 'waiting' && (
        <Bar tone="wait" text={t.lost} button={t.retryNow} onClick={onReconnect}>
          <NextTry at={state.retryAt} />
        </Bar>
      )}
      {state.status === 'closed' && (
        <Bar
          tone="problem"
          text={isFlooding ? t.flooding : t.closed}
          // Whoever is signed out has to sign in first.
          button={state.reason !== 'signed-out' && t.again}
          onClick={onReconnect}
        />
      )}
    </div>
  )
}

/** Not read aloud each second. */
function NextTry({ at }: { at: number }) {
  const left = useCountdown(at)
  return (
    <span className={styles.next} aria-hidden>
      {left > 0 ? t.retryIn(formatWait(left)) : t.retrying}
    </span>
  )
}

interface BarProps {
  tone: 'wait' | 'problem'
  text: string
  button: string | false
  onClick: () => void
  children?: ReactNode
}

function Bar({ tone, text, button, onClick, children }: BarProps) {
  const Icon = tone === 'wait' ? IconPlugConnectedX : IconAlertCircle
  return (
    <div className={styles.bar} data-tone={tone}>
      <Icon size={20} aria-hidden />
      <p>
        {text} {children}
      </p>
      {button && (
        <Button variant="default" size="xs" onClick={onClick}>
          {button}
        </Button>
      )}
    </div>
  )
}
