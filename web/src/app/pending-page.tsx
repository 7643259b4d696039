import { Loader } from '@mantine/core'
import { texts } from '@/lib/texts'
import styles from './centre.module.css'

/** While a page or the answer to "who is signed in" is on its way. */
export function PendingPage() {
  return (
    <div className={styles.centre} role="status">
      <Loader aria-hidden />
      <span className="visually-hidden">{texts.loading}</span>
    </div>
  )
}
