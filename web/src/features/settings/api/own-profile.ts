import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { client } from '@/lib/client'
import type { OwnProfile, Preferences, ProfilePatch } from '@/lib/community-types'

const KEY = ['own-profile']
const PATH = '/api/profile/'

/** The caller's profile and settings. */
export function useOwnProfile(enabled = true) {
  return useQuery({ queryKey: KEY, enabled, queryFn: () => client.request<OwnProfile>('GET', PATH) })
}

/** Changes profile and settings. */
export function useUpdateProfile() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (patch: ProfilePatch) => client.request<OwnProfile>('PATCH', PATH, patch),
    onSuccess: (profile) => {
      queries.setQueryData(KEY, profile)
      return queries.invalidateQueries({ queryKey: ['person'] })
    },
  })
}

/** Turns one sort of mails on or off: shown at once, and taken back if the server refuses. */
export function useSetPreference() {
  const queries = useQueryClient()
  const show = (change: Partial<Preferences>) =>
    queries.setQueryData<OwnProfile>(KEY, (profile) => {
      if (!profile) return profile
      return { ...profile, notification_preferences: { ...profile.notification_preferences, ...change } }
    })
  return useMutation({
    mutationFn: (change: Partial<Preferences>) =>
      client.request<OwnProfile>('PATCH', PATH, { notification_preferences: change }),
    onMutate: show,
    onError: (_, change) => {
      const opposite = Object.entries(change).map(([name, value]) => [name, !value])
      show(Object.fromEntries(opposite))
    },
  })
}
