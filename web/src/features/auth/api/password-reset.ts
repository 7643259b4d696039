import { useMutation } from '@tanstack/react-query'
import { client } from '@/lib/client'

/** Asks for a mail with a link to choose a new password. */
export function useRequestPasswordReset() {
  return useMutation({ mutationFn: (email: string) => client.requestPasswordReset(email) })
}

/** Sets a new password by the link's token. */
export function useConfirmPasswordReset() {
  return useMutation({
    mutationFn: ({ token, password }: { token: string; password: string }) =>
      client.confirmPasswordReset(token, password),
  })
}
