import { IconLock, IconMessage } from '@tabler/icons-react'
import type { Room } from '@/lib/community-types'
import { texts } from '@/lib/texts'
import styles from './room-mark.module.css'

/** Says whether everybody may join. */
export function RoomMark({ room: { is_public } }: { room: Room }) {
  const Icon = is_public ? IconMessage : IconLock
  const label = is_public ? texts.rooms.isPublic : texts.rooms.isPrivate
  return (
    <span className={styles.mark} role="img" aria-label={label} title={label} data-private={!is_public}>
      <Icon size={20} stroke={1.75} aria-hidden />
    </span>
  )
}
