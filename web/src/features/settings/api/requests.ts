import { useMutation, useQueryClient } from '@tanstack/react-query'
import { client } from '@/lib/client'
import type { BlockedPerson, FollowRequest } from '@/lib/community-types'
import { useList } from '@/lib/use-list'

/** Who waits for the caller's approval. */
export function useFollowRequests() {
  return useList<FollowRequest>(['follow-requests'], '/api/follow-requests/')
}

/** Approves or declines a request. */
export function useAnswerRequest() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: ({ id, answer }: { id: number; answer: 'approve' | 'reject' }) =>
      client.request<unknown>('POST', `/api/follow-requests/${id}/${answer}/`),
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: ['own-profile'] })
      return queries.invalidateQueries({ queryKey: ['follow-requests'] })
    },
  })
}

/** Whom the caller has blocked. */
export function useBlocked() {
  return useList<BlockedPerson>(['blocked'], '/api/blocks/')
}
