import { Button, Stack } from '@mantine/core'
import { FocusedAlert, ProblemAlert } from '@/components/problem-alert'
import type { Problem } from '@/lib/problem'
import { texts } from '@/lib/texts'
import { formatTime, formatWait, useCountdown } from '@/lib/time'

const t = texts.search

/** Why there is no answer, and when there may be one. */
export function AnswerProblem({ problem, onAgain }: { problem: Problem | undefined; onAgain: () => void }) {
  if (problem?.code === 'throttled' && problem.retryAt !== undefined) return <Limit until={problem.retryAt} />
  return (
    <Stack align="flex-start">
      <ProblemAlert problem={problem} />
      <Button variant="default" onClick={onAgain}>
        {t.again}
      </Button>
    </Stack>
  )
}

function Limit({ until }: { until: number }) {
  const left = useCountdown(until)
  return (
    <FocusedAlert on={until} tone={left > 0 ? 'wait' : 'note'}>
      <p>{left > 0 ? t.limit(formatTime(new Date(until).toISOString()), formatWait(left)) : t.limitOver}</p>
    </FocusedAlert>
  )
}
