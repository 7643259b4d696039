import { useMutation } from '@tanstack/react-query'
import { client } from '@/lib/client'

/** Asks for a link to the new address. */
export function useRequestEmailChange() {
  return useMutation({
    mutationFn: ({ email, password }: { email: string; password: string }) =>
      client.requestEmailChange(email, password),
  })
}
