import { useMutation, useQueryClient } from '@tanstack/react-query'
import { client } from '@/lib/client'

/** Changes the password; every other session ends. */
export function useChangePassword() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (input: { current_password: string; new_password: string }) =>
      client.changePassword(input.current_password, input.new_password),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['sessions'] }),
  })
}
