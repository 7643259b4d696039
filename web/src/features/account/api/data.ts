import { useMutation } from '@tanstack/react-query'
import { client } from '@/lib/client'

/** Everything that is stored about the user. */
export function useExport() {
  return useMutation({ mutationFn: () => client.exportMe() })
}

/** Closes the account, for good after the days of grace. */
export function useDeleteMe() {
  return useMutation({ mutationFn: (password: string) => client.deleteMe(password) })
}
