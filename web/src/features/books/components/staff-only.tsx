import type { ReactNode } from 'react'
import { NotFound } from '@/components/not-found'
import { useUser } from '@/lib/session-user'
import styles from './staff-only.module.css'

/** A page for staff; for others there is none. The server has the last word. */
export function StaffOnly({ children }: { children: ReactNode }) {
  const user = useUser()
  return user?.is_staff ? <div className={styles.page}>{children}</div> : <NotFound />
}
