import { useQueryClient } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { ApiError } from 'portcullis-client'
import { useCallback, useState } from 'react'
import { Loadable } from '@/components/loadable'
import { NotFound } from '@/components/not-found'
import { PageHeading } from '@/components/page-heading'
import { ButtonLink } from '@/components/text-link'
import type { Room } from '@/lib/community-types'
import { useUser } from '@/lib/session-user'
import { texts } from '@/lib/texts'
import { forgetRoom, goingKey, useRoom } from '../api/rooms'
import { JoinRoom } from '../components/join-room'
import { RoomView } from '../components/room-view'
import { SignedOut } from '../components/signed-out'

/** A room: what is said in it, for whoever is in it. */
export function RoomPage() {
  const { id } = useParams({ from: '/community/writing/rooms/$id' })
  const user = useUser()
  // Nothing of what one user has seen or typed stays for the next.
  return user ? <Guarded key={`${user.id} ${id}`} id={Number(id)} /> : <SignedOut />
}

/** Whoever is removed sees that, and nothing of the room, even where it could be seen from outside. */
function Guarded({ id }: { id: number }) {
  const [isGone, setIsGone] = useState(false)
  const queries = useQueryClient()
  const leave = useCallback(() => {
    // Whoever leaves by themselves is led away; the socket ends before the answer is here.
    if (queries.isMutating({ mutationKey: goingKey(id) }) > 0) return
    setIsGone(true)
    forgetRoom(queries, id)
  }, [queries, id])
  return isGone ? <Gone /> : <Known id={id} onGone={leave} />
}

function Known({ id, onGone }: { id: number; onGone: () => void }) {
  const room = useRoom(id)
  if (room.error instanceof ApiError && room.error.status === 404) return <NotFound />
  return (
    <Loadable query={room} height={480}>
      {(found: Room) =>
        found.member ? <RoomView room={found} onGone={onGone} /> : <JoinRoom room={found} />
      }
    </Loadable>
  )
}

function Gone() {
  return (
    <>
      <PageHeading title={texts.room.goneTitle} lead={texts.room.goneLead} takesFocus />
      <ButtonLink to="/rooms">{texts.room.toRooms}</ButtonLink>
    </>
  )
}
