import { createRootRoute, createRoute, type ParsedLocation, redirect } from '@tanstack/react-router'
import { ensureSession } from '@/lib/session'
import { lazyPage } from './lazy-page'
import { NotFoundPage } from './not-found-page'
import { Root } from './root'

export const root = createRootRoute({ component: Root, notFoundComponent: NotFoundPage })

/** Pages behind the gate. */
export const member = createRoute({
  getParentRoute: () => root,
  id: 'member',
  beforeLoad: requireSession,
  component: lazyPage(() => import('./account-layout'), 'AccountLayout'),
})

/** Whoever is not signed in does that first, and is then led on to where they were going. */
export async function requireSession({ location }: { location: ParsedLocation }): Promise<void> {
  const session = await ensureSession()
  if (session.status === 'signed-in') return
  throw redirect({ to: '/sign-in', search: { next: location.href }, replace: true })
}
