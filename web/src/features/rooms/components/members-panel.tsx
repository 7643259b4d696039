import { ActionIcon } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useId, useState } from 'react'
import { Avatar } from '@/components/avatar'
import { Confirm } from '@/components/confirm'
import { MoreList } from '@/components/more-list'
import type { Member, Room } from '@/lib/community-types'
import { useUser } from '@/lib/session-user'
import { texts } from '@/lib/texts'
import { toastProblem } from '@/lib/toast-problem'
import { toast } from '@/lib/toasts'
import { useMembers, useRemoveMember } from '../api/members'
import { AddMember } from './add-member'
import styles from './members-panel.module.css'
import { RoomActions } from './room-actions'

const t = texts.room

/** Who is in the room, and what can be done with it. */
export function MembersPanel({ id, room }: { id: string; room: Room }) {
  const headingId = useId()
  const members = useMembers(room.id)
  const isOwner = useUser()?.username === room.owner
  return (
    <section id={id} aria-labelledby={headingId} className={styles.panel}>
      <h2 id={headingId}>{t.members}</h2>
      {isOwner && <AddMember room={room.id} />}
      <MoreList list={members} look="plain" height={44} keyOf={({ username }) => username} empty={null}>
        {(member) => <MemberRow room={room} member={member} isRemovable={isOwner} />}
      </MoreList>
      <RoomActions room={room} isOwner={isOwner} />
    </section>
  )
}

interface RowProps {
  room: Room
  member: Member
  isRemovable: boolean
}

function MemberRow({ room, member: { username }, isRemovable }: RowProps) {
  const isSelf = useUser()?.username === username
  const marks = [username === room.owner && t.ownerMark, isSelf && t.you].filter(Boolean)
  return (
    <div className={styles.member}>
      <Avatar username={username} />
      <p>
        <Link to="/people/$username" params={{ username }}>
          {username}
        </Link>
        {marks.length > 0 && <span>{marks.join(', ')}</span>}
      </p>
      {isRemovable && !isSelf && <RemoveButton room={room.id} username={username} />}
    </div>
  )
}

function RemoveButton({ room, username }: { room: number; username: string }) {
  const [isAsking, setIsAsking] = useState(false)
  const remove = useRemoveMember(room)
  const run = () =>
    remove.mutate(username, {
      onSuccess: () => toast(t.removed(username)),
      onError: toastProblem,
      onSettled: () => setIsAsking(false),
    })
  return (
    <>
      <ActionIcon
        variant="subtle"
        color="danger"
        size={30}
        aria-label={t.removeOf(username)}
        title={t.removeOf(username)}
        onClick={() => setIsAsking(true)}
      >
        <IconX size={16} aria-hidden />
      </ActionIcon>
      <Confirm
        isOpen={isAsking}
        onClose={() => setIsAsking(false)}
        title={t.removeTitle(username)}
        cancel={t.cancel}
        confirm={t.remove}
        isRunning={remove.isPending}
        onConfirm={run}
      >
        {t.removeLead}
      </Confirm>
    </>
  )
}
