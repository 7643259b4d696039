import { Link } from '@tanstack/react-router'
import { Mark } from '@/components/mark'
import { siteName } from '@/lib/site'
import styles from './brand.module.css'

/** Mark and name; leads to the start. */
export function Brand() {
  return (
    <Link to="/" className={styles.brand}>
      <Mark />
      {siteName}
    </Link>
  )
}
