import { useQuery } from '@tanstack/react-query'
import { client } from '@/lib/client'

/** The server's rules for new passwords. */
export function usePasswordPolicy() {
  return useQuery({
    queryKey: ['password-policy'],
    queryFn: () => client.passwordPolicy(),
    staleTime: Number.POSITIVE_INFINITY,
  })
}
