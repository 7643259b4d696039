import { useMutation } from '@tanstack/react-query'
import { client } from '@/lib/client'

/** Signs in with a username or a verified address. */
export function useSignIn() {
  return useMutation({
    mutationFn: (credentials: { username: string; password: string }) => client.login(credentials),
  })
}
