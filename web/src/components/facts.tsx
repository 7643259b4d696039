import type { ReactNode } from 'react'
import styles from './facts.module.css'

/** Terms and what they are, as pairs of `dt` and `dd`. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className={styles.facts}>{children}</dl>
}
