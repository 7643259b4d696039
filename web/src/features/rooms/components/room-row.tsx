import { Button } from '@mantine/core'
import { Link, useNavigate } from '@tanstack/react-router'
import { Moment } from '@/components/moment'
import { UnreadBadge } from '@/components/unread-badge'
import type { Room } from '@/lib/community-types'
import { useUser } from '@/lib/session-user'
import { texts } from '@/lib/texts'
import { toastProblem } from '@/lib/toast-problem'
import { toast } from '@/lib/toasts'
import { useJoinRoom } from '../api/rooms'
import { RoomMark } from './room-mark'
import styles from './room-row.module.css'

const t = texts.rooms

/** A room that the caller is in: what was said last, and how much is new. */
export function OwnRoom({ room, unread }: { room: Room; unread: number }) {
  const last = room.last_message
  return (
    <div className={styles.row} data-unread={unread > 0}>
      <RoomMark room={room} />
      <div className={styles.words}>
        <RoomLink room={room} />
        <p>
          <LastMessage room={room} />
        </p>
      </div>
      <div className={styles.end}>
        {last && <Moment time={last.timestamp} />}
        <UnreadBadge count={unread} />
      </div>
    </div>
  )
}

/** A room that the caller is not in. */
export function OtherRoom({ room }: { room: Room }) {
  const join = useJoinRoom(room.id)
  const navigate = useNavigate()
  const run = () =>
    join.mutate(undefined, {
      onSuccess: () => {
        toast(t.joined(room.name))
        void navigate({ to: '/rooms/$id', params: { id: String(room.id) } })
      },
      onError: toastProblem,
    })
  return (
    <div className={styles.row}>
      <RoomMark room={room} />
      <div className={styles.words}>
        <RoomLink room={room} />
        <p>{t.owner(room.owner)}</p>
      </div>
      {room.is_public && (
        <Button
          className={styles.join}
          variant="default"
          size="xs"
          aria-label={t.joinOf(room.name)}
          loading={join.isPending}
          onClick={run}
        >
          {t.join}
        </Button>
      )}
    </div>
  )
}

function RoomLink({ room }: { room: Room }) {
  return (
    <Link to="/rooms/$id" params={{ id: String(room.id) }} dir="auto">
      {room.name}
    </Link>
  )
}

function LastMessage({ room: { last_message: last } }: { room: Room }) {
  const user = useUser()
  if (!last) return t.silent
  const who = last.user === user?.username ? t.ownMark : (last.user ?? t.gone)
  return `${who}: ${last.text}`
}
