import { Button, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import { ProblemAlert } from '@/components/problem-alert'
import { fields } from '@/lib/fields'
import { type Problem, toProblem } from '@/lib/problem'
import { texts } from '@/lib/texts'
import { formatWait, useCountdown } from '@/lib/time'
import { toast } from '@/lib/toasts'
import { useResendVerification } from '../api/verify-email'

const PAUSE = 45_000

/** Sends the mail again, not more often than makes sense. */
export function Resend({ email, justSent }: { email: string; justSent: boolean }) {
  const [readyAt, setReadyAt] = useState(() => (justSent ? Date.now() + PAUSE : undefined))
  const [problem, setProblem] = useState<Problem>()
  const resend = useResendVerification()
  const left = useCountdown(readyAt)
  const send = () => {
    setProblem(undefined)
    resend.mutate(email.trim(), {
      onSuccess: () => {
        toast(texts.checkMail.resent)
        setReadyAt(Date.now() + PAUSE)
      },
      onError: (error) => {
        const found = toProblem(error, [])
        setProblem(found)
        setReadyAt(found.retryAt)
      },
    })
  }
  const isAddress = fields.email.safeParse(email).success
  return (
    <Stack gap="xs" mt="lg">
      <ProblemAlert problem={problem} />
      <Text c="dimmed" size="sm">
        {texts.checkMail.nothing}
      </Text>
      <Button
        variant="default"
        fullWidth
        loading={resend.isPending}
        disabled={left > 0 || !isAddress}
        onClick={send}
      >
        {left > 0 ? texts.checkMail.resendIn(formatWait(left)) : texts.checkMail.resend}
      </Button>
    </Stack>
  )
}
