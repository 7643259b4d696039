import { type QueryKey, useInfiniteQuery } from '@tanstack/react-query'
import { client } from './client'
import { type Page, pathOfNext } from './page'

/** A list of the server, part by part; `path` holds its parameters. */
export function useList<T>(queryKey: QueryKey, path: string) {
  return useInfiniteQuery({
    queryKey: [...queryKey, path],
    queryFn: ({ pageParam }) => client.request<Page<T>>('GET', pageParam),
    initialPageParam: path,
    getNextPageParam: pathOfNext,
  })
}

/** What {@link useList} gives. */
export type List<T> = ReturnType<typeof useList<T>>
