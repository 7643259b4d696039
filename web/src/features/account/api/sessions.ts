import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { SessionInfo } from 'portcullis-client'
import { client } from '@/lib/client'

const KEY = ['sessions']

/** The devices that are signed in, this one first. */
export function useSessions() {
  return useQuery({
    queryKey: KEY,
    queryFn: () => client.sessions(),
    select: (sessions) => [...sessions].sort(thisOneFirst),
  })
}

/** Ends one session. */
export function useEndSession() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (id: SessionInfo['id']) => client.endSession(id),
    onSettled: () => queries.invalidateQueries({ queryKey: KEY }),
  })
}

/** Ends every session, this one too. */
export function useSignOutEverywhere() {
  return useMutation({ mutationFn: () => client.logoutAll() })
}

function thisOneFirst(left: SessionInfo, right: SessionInfo): number {
  return Number(right.current) - Number(left.current) || right.last_seen.localeCompare(left.last_seen)
}
