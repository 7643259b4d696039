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
  width?: 'full' | 'own'
}

/** A form: what went wrong, the fields, and one button that waits when the server asks for it. */
export function Form({ onSubmit, problem, isSubmitting, submit, children, tone, width = 'full' }: Props) {
  const left = useCountdown(problem?.retryAt)
  return (
    <form onSubmit={onSubmit} noValidate>
      <Stack gap="md">
        <ProblemAlert problem={problem} />
        {children}
        <Button
          type="submit"
          size="md"
          loading={isSubmitting}
          disabled={left > 0}
          fullWidth={width === 'full'}
          data-tone={tone}
          data-width={width}
        >
          {submit}
        </Button>
      </Stack>
    </form>
  )
}
