import { type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query'
import { ApiError } from 'portcullis-client'
import { useCallback } from 'react'
import { client } from '@/lib/client'
import type { SearchAnswer } from '@/lib/community-types'
import { type Problem, toProblem } from '@/lib/problem'
import { currentUserId } from '@/lib/session'
import { readEvents } from '../lib/events'

/**
 * A question and what has come of its answer: `waiting` for the first of it, `streaming`, `done`, `cut` off before
 * its end, or `failed` before anything came.
 */
export interface Answer {
  status: 'none' | 'waiting' | 'streaming' | 'done' | 'cut' | 'failed'
  query: string
  answer: string
  provider?: SearchAnswer['provider']
  results: SearchAnswer['results']
  problem?: Problem
}

const NONE: Answer = { status: 'none', query: '', answer: '', results: [] }
const KEY = ['search-answer']

/** The question that is on its way, so that the next one ends it. */
let current: AbortController | undefined

/** The last answer, which is still there when one comes back to the page, and how to ask anew. */
export function useAnswer(): { answer: Answer; ask: (query: string) => Promise<void> } {
  const queries = useQueryClient()
  const { data } = useQuery({
    queryKey: KEY,
    queryFn: () => NONE,
    initialData: NONE,
    enabled: false,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
  })
  return { answer: data, ask: useCallback((query: string) => ask(queries, query), [queries]) }
}

async function ask(queries: QueryClient, query: string): Promise<void> {
  if (isUnderWay(queries.getQueryData<Answer>(KEY), query)) return
  current?.abort()
  current = new AbortController()
  const { signal } = current
  const asker = currentUserId()
  let answer: Answer = { ...NONE, status: 'waiting', query }
  const change = (next: Partial<Answer>) => {
    // What one user is answered is nothing for the next.
    if (signal.aborted || currentUserId() !== asker) return
    answer = { ...answer, ...next }
    queries.setQueryData(KEY, answer)
  }
  change({})
  try {
    const response = await client.fetch('/api/ai/search/', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream' },
      body: JSON.stringify({ query }),
      signal,
    })
    if (!response.ok || !response.body) throw await ApiError.from(response)
    for await (const { name, data } of readEvents(response.body))
      change(stepOf(answer, name, JSON.parse(data)))
    if (answer.status !== 'done') change({ status: 'cut' })
  } catch (error) {
    if (answer.status === 'waiting') change({ status: 'failed', problem: toProblem(error, []) })
    else if (answer.status === 'streaming') change({ status: 'cut' })
  }
}

/** A question costs one of an hour's few: asked twice in a row it is asked once. */
function isUnderWay(answer: Answer | undefined, query: string): boolean {
  return answer?.query === query && (answer.status === 'waiting' || answer.status === 'streaming')
}

/** What an event changes: a later list takes the place of an earlier one, and the end that of all. */
function stepOf(before: Answer, name: string, data: SearchAnswer & { text: string }): Partial<Answer> {
  const { provider, results } = data
  if (name === 'results') return { status: 'streaming', provider, results }
  if (name === 'answer') return { status: 'streaming', answer: before.answer + data.text }
  if (name === 'done') return { status: 'done', provider, results, answer: data.answer }
  return name === 'error' ? { status: 'cut' } : {}
}
