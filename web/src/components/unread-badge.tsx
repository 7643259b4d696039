import { texts } from '@/lib/texts'
import styles from './unread-badge.module.css'

const MOST = 99

/** How many messages are new; nothing where none is. */
export function UnreadBadge({ count }: { count: number }) {
  if (count === 0) return null
  return (
    <span className={styles.badge}>
      {count > MOST ? `${MOST}+` : count}
      <span className="visually-hidden"> {texts.rooms.unread(count)}</span>
    </span>
  )
}
