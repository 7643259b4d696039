import type { ReactNode } from 'react'
import styles from './auth-layout.module.css'
import { GatePanel } from './gate-panel'

/** A page on its own, outside of the account. */
export function StandAlone({ children }: { children: ReactNode }) {
  return (
    <div className={styles.layout}>
      <GatePanel />
      <div className={styles.side}>
        <main id="content" tabIndex={-1} className={styles.main}>
          {children}
        </main>
      </div>
    </div>
  )
}
