import { Button } from '@mantine/core'
import { IconLogout } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { Outlet, useNavigate, useRouter } from '@tanstack/react-router'
import { useEffect } from 'react'
import { SchemeSwitch } from '@/components/scheme-switch'
import { client } from '@/lib/client'
import { farewell } from '@/lib/farewell'
import { useSession } from '@/lib/session'
import { texts } from '@/lib/texts'
import { toast } from '@/lib/toasts'
import styles from './account-layout.module.css'
import { AccountNav } from './account-nav'
import { Brand } from './brand'
import { PendingPage } from './pending-page'

/** The pages behind the gate. When the session ends, here or in another tab, they close at once. */
export function AccountLayout() {
  const session = useSession()
  useFollowSession()
  if (session.status !== 'signed-in') return <PendingPage />
  return (
    <div className={styles.layout}>
      <header className={styles.header}>
        <div>
          <Brand />
          <SchemeSwitch />
          <SignOutButton />
        </div>
      </header>
      <div className={styles.body}>
        <AccountNav />
        <main id="content" tabIndex={-1} className={styles.main}>
          <Outlet key={session.user.id} />
        </main>
      </div>
    </div>
  )
}

function SignOutButton() {
  const signOut = useMutation({
    mutationFn: () => client.logout(),
    onError: () => toast(texts.account.signOutUntold),
  })
  return (
    <Button
      variant="default"
      size="sm"
      leftSection={<IconLogout size={16} aria-hidden />}
      loading={signOut.isPending}
      onClick={() => signOut.mutate()}
    >
      {texts.account.signOut}
    </Button>
  )
}

function useFollowSession() {
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
