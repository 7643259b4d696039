import { useMutation } from '@tanstack/react-query'
import { client } from '@/lib/client'

export type SignUpInput = Parameters<typeof client.register>[0]

/** Registers an account, which can be used once its address is verified. */
export function useSignUp() {
  return useMutation({ mutationFn: (input: SignUpInput) => client.register(input) })
}
