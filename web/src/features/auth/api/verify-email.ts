import { useMutation } from '@tanstack/react-query'
import { client } from '@/lib/client'

type Proof = Parameters<typeof client.verifyEmail>[0]

/** Proves an address by the link's token or the code, and signs its owner in. */
export function useVerifyEmail() {
  return useMutation({ mutationFn: (proof: Proof) => client.verifyEmail(proof) })
}

/** Asks for another mail to verify with. */
export function useResendVerification() {
  return useMutation({ mutationFn: (email: string) => client.resendVerification(email) })
}
