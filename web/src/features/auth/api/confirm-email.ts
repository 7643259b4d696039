import { useMutation } from '@tanstack/react-query'
import { client } from '@/lib/client'

/** Moves the account to the address whose link was opened. */
export function useConfirmEmail() {
  return useMutation({ mutationFn: (token: string) => client.confirmEmailChange(token) })
}
