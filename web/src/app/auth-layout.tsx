import { Outlet } from '@tanstack/react-router'
import { SchemeSwitch } from '@/components/scheme-switch'
import styles from './auth-layout.module.css'
import { GatePanel } from './gate-panel'

/** The pages before the gate: a coloured side, and one thing to do. */
export function AuthLayout() {
  return (
    <div className={styles.layout}>
      <GatePanel />
      <div className={styles.side}>
        <main id="content" tabIndex={-1} className={styles.main}>
          <Outlet />
        </main>
        <footer className={styles.footer}>
          <SchemeSwitch />
        </footer>
      </div>
    </div>
  )
}
