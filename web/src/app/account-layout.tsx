import { Outlet } from '@tanstack/react-router'
import { useSession } from '@/lib/session'
import styles from './account-layout.module.css'
import { AccountNav } from './account-nav'
import { AppHeader } from './app-header'
import { PendingPage } from './pending-page'
import { useFollowSession } from './use-follow-session'

/** The pages behind the gate. When the session ends, here or in another tab, they close at once. */
export function AccountLayout() {
  const session = useSession()
  useFollowSession()
  if (session.status !== 'signed-in') return <PendingPage />
  return (
    <div className={styles.layout}>
      <AppHeader />
      <div className={styles.body}>
        <AccountNav />
        <main id="content" tabIndex={-1} className={styles.main}>
          <Outlet key={session.user.id} />
        </main>
      </div>
    </div>
  )
}
