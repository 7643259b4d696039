import { keepPreviousData, type QueryKey, useInfiniteQuery } from '@tanstack/react-query'
import { client } from './client'
import { type Page, pathOfNext } from './page'

interface Options {
  /** What was there is shown until what is asked for arrives: for a list that changes while somebody types. */
  readonly keepsPrevious?: boolean
  /** Asks again by itself, in milliseconds. */
  readonly refetchInterval?: number
  /** ... as long as one part is here: asking again asks for all of them, each with a call of its own. */
  readonly refetchesOnePart?: boolean
  /** How long what was there is taken for true, in milliseconds. */
  readonly staleTime?: number
}

interface Loaded {
  readonly state: { readonly data?: { readonly pages: readonly unknown[] } }
}

/** A list of the server, part by part; `path` holds its parameters. */
export function useList<T>(
  queryKey: QueryKey,
  path: string,
  { keepsPrevious = false, refetchInterval, refetchesOnePart = false, ...more }: Options = {},
) {
  return useInfiniteQuery({
    ...more,
    refetchInterval: ({ state }: Loaded) =>
      refetchesOnePart && (state.data?.pages.length ?? 0) > 1 ? false : refetchInterval,
    placeholderData: keepsPrevious ? keepPreviousData : undefined,
    queryKey: [...queryKey, path],
    queryFn: ({ pageParam }) => client.request<Page<T>>('GET', pageParam),
    initialPageParam: path,
    getNextPageParam: pathOfNext,
  })
}

/** What {@link useList} gives. */
export type List<T> = ReturnType<typeof useList<T>>
