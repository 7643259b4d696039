import { Button, Skeleton, Stack, Text } from '@mantine/core'
import type { UseQueryResult } from '@tanstack/react-query'
import { NetworkError } from 'portcullis-client'
import type { ReactNode } from 'react'
import { toProblem } from '@/lib/problem'
import { texts } from '@/lib/texts'
import { formatWait } from '@/lib/time'

interface Props<T> {
  query: UseQueryResult<T>
  /** Of what will stand here, in pixels, so that nothing jumps. */
  height: number
  children: (data: T) => ReactNode
}

/** What a query brings; until then its outline, and a way to try again when it fails. */
export function Loadable<T>({ query, height, children }: Props<T>) {
  if (query.data !== undefined) return children(query.data)
  if (query.isError) return <Failed error={query.error} onRetry={() => void query.refetch()} />
  return (
    <div role="status">
      <Skeleton height={height} />
      <span className="visually-hidden">{texts.loading}</span>
    </div>
  )
}

/** What went wrong with a reading, and a button to try again. */
export function Failed({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const problem = toProblem(error, [])
  const wait = problem.retryAt ? Math.ceil((problem.retryAt - Date.now()) / 1000) : 0
  // Nothing was typed here that could be lost.
  const words = error instanceof NetworkError ? texts.problem.unreachable : problem.messages.join(' ')
  const text = wait > 0 ? texts.problem.wait(formatWait(wait)) : words
  return (
    <Stack gap="sm" align="flex-start" role="alert">
      <Text size="sm">{text}</Text>
      <Button variant="default" size="xs" onClick={onRetry}>
        {texts.problem.retry}
      </Button>
    </Stack>
  )
}
