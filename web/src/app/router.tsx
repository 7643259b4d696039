import { createRoute, createRouter, redirect } from '@tanstack/react-router'
import * as z from 'zod/mini'
import { noteNavigation } from '@/components/first-page'
import { homePath } from '@/lib/next-path'
import { ensureSession } from '@/lib/session'
import { AuthLayout } from './auth-layout'
import { community, communityPages, settingsPages } from './community-routes'
import { FailedPage } from './failed-page'
import { lazyPage } from './lazy-page'
import { PendingPage } from './pending-page'
import { member, root } from './root-route'

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
  interface HistoryState {
    /** The address that a mail went to: kept out of the address bar. */
    email?: string
  }
}

const guest = createRoute({ getParentRoute: () => root, id: 'guest', component: AuthLayout })

const searchWithNext = z.object({ next: z.catch(z.optional(z.string()), undefined) })

/** How long the start page waits for the answer to who is signed in; it leaves later, too. */
const PATIENCE = 1000

const welcome = createRoute({
  getParentRoute: () => guest,
  path: '/',
  beforeLoad: async () => {
    const late = new Promise<undefined>((resolve) => setTimeout(resolve, PATIENCE))
    const session = await Promise.race([ensureSession().catch(() => undefined), late])
    if (session?.status === 'signed-in') throw redirect({ to: homePath, replace: true })
  },
  component: lazyPage(() => import('@/features/welcome/routes/welcome'), 'WelcomePage'),
})

const signIn = createRoute({
  getParentRoute: () => guest,
  path: '/sign-in',
  validateSearch: searchWithNext,
  component: lazyPage(() => import('@/features/auth/routes/sign-in'), 'SignInPage'),
})

const signUp = createRoute({
  getParentRoute: () => guest,
  path: '/sign-up',
  component: lazyPage(() => import('@/features/auth/routes/sign-up'), 'SignUpPage'),
})

const checkMail = createRoute({
  getParentRoute: () => guest,
  path: '/check-mail',
  component: lazyPage(() => import('@/features/auth/routes/check-mail'), 'CheckMailPage'),
})

const verifyEmail = createRoute({
  getParentRoute: () => guest,
  path: '/verify-email',
  component: lazyPage(() => import('@/features/auth/routes/verify-email'), 'VerifyEmailPage'),
})

const forgotPassword = createRoute({
  getParentRoute: () => guest,
  path: '/forgot-password',
  component: lazyPage(() => import('@/features/auth/routes/forgot-password'), 'ForgotPasswordPage'),
})

const resetPassword = createRoute({
  getParentRoute: () => guest,
  path: '/reset-password',
  component: lazyPage(() => import('@/features/auth/routes/reset-password'), 'ResetPasswordPage'),
})

const confirmEmail = createRoute({
  getParentRoute: () => guest,
  path: '/confirm-email',
  component: lazyPage(() => import('@/features/auth/routes/confirm-email'), 'ConfirmEmailPage'),
})

const account = createRoute({ getParentRoute: () => member, path: '/account' })

const profile = createRoute({
  getParentRoute: () => account,
  path: '/',
  component: lazyPage(() => import('@/features/account/routes/profile'), 'ProfilePage'),
})

const email = createRoute({
  getParentRoute: () => account,
  path: '/email',
  component: lazyPage(() => import('@/features/account/routes/email'), 'EmailPage'),
})

const password = createRoute({
  getParentRoute: () => account,
  path: '/password',
  component: lazyPage(() => import('@/features/account/routes/password'), 'PasswordPage'),
})

const sessions = createRoute({
  getParentRoute: () => account,
  path: '/sessions',
  component: lazyPage(() => import('@/features/account/routes/sessions'), 'SessionsPage'),
})

const data = createRoute({
  getParentRoute: () => account,
  path: '/data',
  component: lazyPage(() => import('@/features/account/routes/data'), 'DataPage'),
})

/** Every page, and who may see it. */
export const router = createRouter({
  routeTree: root.addChildren([
    guest.addChildren([
      welcome,
      signIn,
      signUp,
      checkMail,
      verifyEmail,
      forgotPassword,
      resetPassword,
      confirmEmail,
    ]),
    member.addChildren([account.addChildren([profile, email, password, sessions, data]), ...settingsPages]),
    community.addChildren([...communityPages]),
  ]),
  defaultPreload: 'intent',
  defaultPendingComponent: PendingPage,
  defaultPendingMs: 250,
  defaultErrorComponent: FailedPage,
  scrollRestoration: true,
  trailingSlash: 'never',
})

router.subscribe('onBeforeNavigate', ({ fromLocation, pathChanged }) => {
  if (fromLocation && pathChanged) noteNavigation()
})
