import { Button } from '@mantine/core'
import { IconDoorExit, IconPencil, IconTrash } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { Confirm } from '@/components/confirm'
import { Dialog } from '@/components/dialog'
import type { Room } from '@/lib/community-types'
import { texts } from '@/lib/texts'
import { toastProblem } from '@/lib/toast-problem'
import { toast } from '@/lib/toasts'
import { useDeleteRoom, useLeaveRoom } from '../api/rooms'
import styles from './room-actions.module.css'
import { RoomForm } from './room-form'

const t = texts.room
type Action = 'edit' | 'leave' | 'delete'

/** What can be done with a room beside talking in it. */
export function RoomActions({ room, isOwner }: { room: Room; isOwner: boolean }) {
  const [asked, setAsked] = useState<Action>()
  const close = () => setAsked(undefined)
  const saved = () => {
    toast(texts.roomForm.saved)
    close()
  }
  return (
    <div className={styles.actions}>
      {isOwner && <ActionButton Icon={IconPencil} text={t.edit} onClick={() => setAsked('edit')} />}
      <ActionButton Icon={IconDoorExit} text={t.leave} onClick={() => setAsked('leave')} />
      {isOwner && (
        <ActionButton Icon={IconTrash} text={t.delete} color="danger" onClick={() => setAsked('delete')} />
      )}
      <Dialog isOpen={asked === 'edit'} onClose={close} title={texts.roomForm.edit}>
        <RoomForm room={room} onSaved={saved} />
      </Dialog>
      <Leaving room={room} isOwner={isOwner} isOpen={asked === 'leave'} onClose={close} />
      <Deleting room={room} isOpen={asked === 'delete'} onClose={close} />
    </div>
  )
}

interface ButtonProps {
  Icon: typeof IconPencil
  text: string
  color?: 'danger'
  onClick: () => void
}

function ActionButton({ Icon, text, color, onClick }: ButtonProps) {
  return (
    <Button
      variant="subtle"
      size="sm"
      color={color}
      justify="start"
      leftSection={<Icon size={16} aria-hidden />}
      onClick={onClick}
    >
      {text}
    </Button>
  )
}

interface AskProps {
  room: Room
  isOpen: boolean
  onClose: () => void
}

function Leaving({ room, isOwner, isOpen, onClose }: AskProps & { isOwner: boolean }) {
  const leave = useLeaveRoom(room.id)
  const finish = useFinish(t.left(room.name), onClose)
  const words = [room.is_public ? t.leavePublic : t.leavePrivate, isOwner && t.leaveOwner]
  return (
    <Confirm
      isOpen={isOpen}
      onClose={onClose}
      title={t.leaveTitle}
      cancel={t.cancel}
      confirm={t.leave}
      isRunning={leave.isPending}
      onConfirm={() => finish(leave.mutateAsync())}
    >
      {words.filter(Boolean).join(' ')}
    </Confirm>
  )
}

function Deleting({ room, isOpen, onClose }: AskProps) {
  const remove = useDeleteRoom(room.id)
  const finish = useFinish(t.deleted, onClose)
  return (
    <Confirm
      isOpen={isOpen}
      onClose={onClose}
      title={t.deleteTitle}
      cancel={t.cancel}
      confirm={t.delete}
      isRunning={remove.isPending}
      onConfirm={() => finish(remove.mutateAsync())}
    >
      {t.deleteLead}
    </Confirm>
  )
}

/** Away from a room that is gone, or on in one that is not. */
function useFinish(words: string, onClose: () => void) {
  const navigate = useNavigate()
  return (going: Promise<unknown>) =>
    going.then(
      () => {
        toast(words)
        // What was not sent has no room to go to any more.
        return navigate({ to: '/rooms', replace: true, ignoreBlocker: true })
      },
      (error: unknown) => {
        onClose()
        toastProblem(error)
      },
    )
}
