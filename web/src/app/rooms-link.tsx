import { IconMessages } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { UnreadBadge } from '@/components/unread-badge'
import { useUnread } from '@/features/rooms/api/unread'
import { texts } from '@/lib/texts'

/** The way to the rooms, with the count of what is new in them. */
export function RoomsLink({ current }: { current: 'page' | undefined }) {
  const counts = [...useUnread().values()]
  return (
    <li>
      <Link to="/rooms" aria-current={current}>
        <IconMessages size={20} stroke={1.75} aria-hidden />
        {texts.nav.rooms}
        <UnreadBadge count={counts.reduce((sum, count) => sum + count, 0)} />
      </Link>
    </li>
  )
}
