import { Button } from '@mantine/core'
import { PageHeading } from '@/components/page-heading'
import type { Room } from '@/lib/community-types'
import { texts } from '@/lib/texts'
import { toastProblem } from '@/lib/toast-problem'
import { useJoinRoom } from '../api/rooms'

/** A room from outside. */
export function JoinRoom({ room }: { room: Room }) {
  const join = useJoinRoom(room.id)
  if (!room.is_public) return <PageHeading title={room.name} lead={texts.room.strangerLead} />
  return (
    <>
      <PageHeading title={room.name} lead={texts.room.outsideLead} />
      <Button loading={join.isPending} onClick={() => join.mutate(undefined, { onError: toastProblem })}>
        {texts.rooms.joinOf(room.name)}
      </Button>
    </>
  )
}
