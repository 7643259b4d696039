import { Button, Stack } from '@mantine/core'
import { useState } from 'react'
import { ProblemAlert } from '@/components/problem-alert'
import { type Problem, toProblem } from '@/lib/problem'
import { texts } from '@/lib/texts'
import { useCountdown } from '@/lib/time'

const WORDS = { token_not_valid: texts.problem.deadLink }

interface Props {
  label: string
  /** Spends the token. */
  action: () => Promise<unknown>
}

/** The one click that a mailed link asks for: opening it alone changes nothing. */
export function TokenAction({ label, action }: Props) {
  const [problem, setProblem] = useState<Problem>()
  const [isRunning, setIsRunning] = useState(false)
  const left = useCountdown(problem?.retryAt)
  const run = async () => {
    setIsRunning(true)
    setProblem(undefined)
    try {
      await action()
    } catch (error) {
      setProblem(toProblem(error, [], WORDS))
    }
    setIsRunning(false)
  }
  return (
    <Stack gap="md">
      <ProblemAlert problem={problem} />
      <Button size="md" fullWidth loading={isRunning} disabled={left > 0} onClick={run}>
        {label}
      </Button>
    </Stack>
  )
}
