import { Outlet, useRouter } from '@tanstack/react-router'
import { useEffect } from 'react'
import { useSession } from '@/lib/session'
import { AppHeader } from './app-header'
import styles from './community-layout.module.css'
import { PendingPage } from './pending-page'

/** Pages for visitors, too. What they show is asked for anew when somebody signs in or out. */
export function CommunityLayout() {
  const session = useSession()
  const router = useRouter()
  useEffect(() => {
    if (session.status === 'unknown') void router.invalidate()
  }, [session, router])
  if (session.status === 'unknown') return <PendingPage />
  return (
    <div className={styles.layout}>
      <AppHeader />
      <main id="content" tabIndex={-1} className={styles.main}>
        <Outlet key={session.status === 'signed-in' ? session.user.id : 'guest'} />
      </main>
    </div>
  )
}
