import { useMutation, useQueryClient } from '@tanstack/react-query'
import { client } from '@/lib/client'
import type { Member } from '@/lib/community-types'
import { useList } from '@/lib/use-list'
import { pathOf } from './rooms'

/** How often the list is asked for while it is shown, in milliseconds. */
const FRESH = 30_000

/** Who is in a room, who came first at the top. */
export function useMembers(id: number) {
  return useList<Member>(['members', id], `${pathOf(id)}members/?page_size=50`, {
    refetchInterval: FRESH,
    refetchesOnePart: true,
  })
}

/** Adds somebody to the caller's room. */
export function useAddMember(id: number) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (username: string) => client.request<Member>('POST', `${pathOf(id)}members/`, { username }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['members', id] }),
  })
}

/** Removes somebody from the caller's room. */
export function useRemoveMember(id: number) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (username: string) =>
      client.request<void>('DELETE', `${pathOf(id)}members/${encodeURIComponent(username)}/`),
    onSettled: () => queries.invalidateQueries({ queryKey: ['members', id] }),
  })
}
