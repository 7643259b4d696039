import { useNavigate } from '@tanstack/react-router'
import { useEffect } from 'react'
import { safeNext } from '@/lib/next-path'
import { ensureSession, useSession } from '@/lib/session'

/** Leaves a page for guests as soon as somebody is signed in, be it in another tab. */
export function useLeaveWhenSignedIn(next?: string): void {
  const { status } = useSession()
  const navigate = useNavigate()
  useEffect(() => {
    // The page works without the answer; a missing connection shows when the form is sent.
    if (status === 'unknown') ensureSession().catch(() => undefined)
    if (status === 'signed-in') void navigate({ href: safeNext(next), replace: true })
  }, [status, next, navigate])
}
