import { type QueryClient, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { client } from '@/lib/client'
import type { FollowStatus, Person } from '@/lib/community-types'

/** Somebody's profile as the visitor sees it. */
export function usePerson(username: string) {
  return useQuery({
    queryKey: ['person', username],
    queryFn: () => client.request<Person>('GET', `${pathOf(username)}?include=follow_status`),
  })
}

/** Follows somebody, or asks to: the answer says which. */
export function useFollow(username: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: () => client.request<{ status: FollowStatus }>('POST', `${pathOf(username)}follow/`),
    onSuccess: ({ status }) => follow(queries, username, status),
  })
}

/** Follows no longer, or withdraws the request. */
export function useUnfollow(username: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: () => client.request<void>('DELETE', `${pathOf(username)}follow/`),
    onSuccess: () => follow(queries, username, null),
  })
}

/** Hides both from each other; nothing that was shown of them stays. */
export function useBlock(username: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: () => client.request<void>('POST', `${pathOf(username)}block/`),
    onSuccess: () => forgetPeople(queries),
  })
}

/** Ends a block; whoever followed has to follow anew. */
export function useUnblock() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (username: string) => client.request<void>('DELETE', `${pathOf(username)}block/`),
    onSuccess: () => forgetPeople(queries),
  })
}

function pathOf(username: string): string {
  return `/api/profiles/${encodeURIComponent(username)}/`
}

/** Shows the new state at once; the counts and what it opens or hides come from the server. */
function follow(queries: QueryClient, username: string, status: FollowStatus): void {
  queries.setQueryData<Person>(
    ['person', username],
    (person) => person && { ...person, follow_status: status },
  )
  void queries.invalidateQueries({ queryKey: ['person'] })
  forgetContent(queries)
}

function forgetPeople(queries: QueryClient): void {
  queries.removeQueries({ queryKey: ['person'] })
  void queries.invalidateQueries({ queryKey: ['blocked'] })
  void queries.invalidateQueries({ queryKey: ['follow-requests'] })
  forgetContent(queries)
}

function forgetContent(queries: QueryClient): void {
  for (const key of ['reviews', 'books', 'book']) void queries.invalidateQueries({ queryKey: [key] })
}
