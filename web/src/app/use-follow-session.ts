import { useNavigate, useRouter } from '@tanstack/react-router'
import { useEffect } from 'react'
import { farewell } from '@/lib/farewell'
import { useSession } from '@/lib/session'
import { texts } from '@/lib/texts'
import { toast } from '@/lib/toasts'

/** Behind the gate: when the session ends, here or in another tab, whoever looks has to sign in. */
export function useFollowSession(): void {
  const session = useSession()
  const navigate = useNavigate()
  const router = useRouter()
  useEffect(() => {
    // The cookie has become somebody else's: the guard of these pages finds out whose.
    if (session.status === 'unknown') void router.invalidate()
    if (session.status !== 'signed-out') return
    const hasExpired = session.reason === 'expired'
    if (!farewell.get()) toast(hasExpired ? texts.signIn.expired : texts.signIn.signedOut)
    const next = hasExpired ? router.state.location.href : undefined
    void navigate({ to: '/sign-in', search: { next }, replace: true })
  }, [session, navigate, router])
}
