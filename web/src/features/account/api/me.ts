import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { client } from '@/lib/client'

const KEY = ['me']

/** The account as its owner sees it. */
export function useMe() {
  return useQuery({ queryKey: KEY, queryFn: () => client.me() })
}

/** Changes the names. */
export function useUpdateMe() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (names: { first_name: string; last_name: string }) => client.updateMe(names),
    onSuccess: (me) => queries.setQueryData(KEY, me),
  })
}
