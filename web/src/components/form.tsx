import { Button, Stack } from '@mantine/core'
import type { BaseSyntheticEvent, ReactNode } from 'react'
import type { Problem } from '@/lib/problem'
import { useCountdown } from '@/lib/time'
import { ProblemAlert } from './problem-alert'

interface Props {
  onSubmit: (event?: BaseSyntheticEvent) => Promise<void>
  problem: Problem | undefined
  isSubmitting: boolean
  submit: string
  children?: ReactNode
  tone?: 'normal' | 'danger'
  /** Of the button: as wide as the form, or as its words. */
  width?: 'full' | 'own'
  className?: string
}

/** A form: what went wrong, the fields, and one button that waits when the server asks for it. */
export function Form({
  onSubmit,
  problem,
  isSubmitting,
  submit,
  children,
  tone,
  width = 'full',
  className,
}: Props) {
  const left = useCountdown(problem?.retryAt)
  return (
    <form onSubmit={onSubmit} noValidate className={className}>
      <Stack gap="md">
        <ProblemAlert problem={problem} />
        {children}
        <Button
          type="submit"
          size={width === 'full' ? 'md' : 'sm'}
          loading={isSubmitting}
          disabled={left > 0}
          fullWidth={width === 'full'}
          color={tone === 'danger' ? 'danger' : undefined}
          data-width={width}
        >
          {submit}
        </Button>
      </Stack>
    </form>
  )
}
