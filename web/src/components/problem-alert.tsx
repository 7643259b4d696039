import { Alert } from '@mantine/core'
import { IconAlertCircle, IconClock } from '@tabler/icons-react'
import { type ReactNode, useEffect, useRef } from 'react'
import type { Problem } from '@/lib/problem'
import { texts } from '@/lib/texts'
import { formatWait, useCountdown } from '@/lib/time'

/** What stands above a form after a refusal; it takes the focus, so that nobody misses it. */
export function ProblemAlert({ problem }: { problem: Problem | undefined }) {
  if (problem?.retryAt !== undefined) return <WaitAlert key={problem.retryAt} until={problem.retryAt} />
  if (!problem || problem.messages.length === 0) return null
  return (
    <FocusedAlert on={problem} tone="problem" title={texts.problem.title}>
      {problem.messages.map((message) => (
        <p key={message}>{message}</p>
      ))}
      {problem.requestId && <p>{texts.problem.requestId(problem.requestId)}</p>}
    </FocusedAlert>
  )
}

function WaitAlert({ until }: { until: number }) {
  const left = useCountdown(until)
  const text = left > 0 ? texts.problem.wait(formatWait(left)) : texts.problem.waitOver
  return (
    <FocusedAlert on={until} tone={left > 0 ? 'wait' : 'note'}>
      <p role="timer">{text}</p>
    </FocusedAlert>
  )
}

interface AlertProps {
  /** A new value takes the focus again. */
  on: unknown
  tone: 'problem' | 'wait' | 'note'
  title?: string
  children: ReactNode
}

/** An alert that is focused when it appears. */
export function FocusedAlert({ on, tone, title, children }: AlertProps) {
  const ref = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (on !== undefined) ref.current?.focus()
  }, [on])
  const Icon = tone === 'problem' ? IconAlertCircle : IconClock
  return (
    <Alert ref={ref} tabIndex={-1} title={title} icon={<Icon aria-hidden />} data-tone={tone}>
      {children}
    </Alert>
  )
}
