import { useMutation, useQueryClient } from '@tanstack/react-query'
import { ApiError, type components } from 'portcullis-client'
import { client } from '@/lib/client'
import type { OwnProfile } from '@/lib/community-types'

const PATH = '/api/profile/avatar/'
type Answer = components['schemas']['AvatarResponse']

/** Sends a picture. */
export function useUploadAvatar() {
  const follow = useFollowAvatar()
  return useMutation({ mutationFn: upload, onSuccess: ({ avatar_url = null }) => follow(avatar_url) })
}

/** Takes the picture away. */
export function useRemoveAvatar() {
  const follow = useFollowAvatar()
  return useMutation({
    mutationFn: () => client.request<void>('DELETE', PATH),
    onSuccess: () => follow(null),
  })
}

async function upload(picture: Blob): Promise<Answer> {
  const body = new FormData()
  body.append('avatar', picture, 'avatar')
  const response = await client.fetch(PATH, {
    method: 'PATCH',
    body,
    headers: { Accept: 'application/json' },
  })
  if (!response.ok) throw await ApiError.from(response)
  return response.json()
}

function useFollowAvatar() {
  const queries = useQueryClient()
  return (avatar_url: string | null) => {
    queries.setQueryData<OwnProfile>(['own-profile'], (profile) => profile && { ...profile, avatar_url })
    void queries.invalidateQueries({ queryKey: ['reviews'] })
    return queries.invalidateQueries({ queryKey: ['person'] })
  }
}
