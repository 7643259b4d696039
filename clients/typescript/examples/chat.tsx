// A room: what was said, what is on its way, and a line to write in.

import { createClient } from 'portcullis-client'
import { useConversation, useSession } from 'portcullis-client/react'
import type { FormEvent } from 'react'

const client = createClient()

export function App({ roomId }: { roomId: number }) {
  const session = useSession(client)
  return session.status === 'signed-in' ? <Room roomId={roomId} /> : <p>Please sign in.</p>
}

function Room({ roomId }: { roomId: number }) {
  const room = useConversation(client, roomId)

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    room.send(String(new FormData(event.currentTarget).get('text')))
    event.currentTarget.reset()
  }

  if (room.state.status === 'closed') return <p>This room is closed: {room.state.reason}.</p>
  return (
    <>
      {room.state.status === 'waiting' && (
        <p role="status">
          Connection lost.{' '}
          <button type="button" onClick={room.reconnect}>
            Try now
          </button>
        </p>
      )}
      {room.hasOlder && (
        <button type="button" disabled={room.isLoadingOlder} onClick={() => room.loadOlder().catch(() => {})}>
          Earlier messages
        </button>
      )}
      <ul>
        {room.messages.map(({ id, user, text }) => (
          <li key={id}>
            <b>{user ?? 'somebody who has left'}</b> {text}
          </li>
        ))}
        {room.pending.map(({ key, text, problem }) => (
          <li key={key}>
            <i>{text}</i>{' '}
            {problem && (
              <button type="button" title={problem} onClick={() => room.resend(key)}>
                Send again
              </button>
            )}
          </li>
        ))}
      </ul>
      <form onSubmit={submit}>
        <input name="text" maxLength={1000} autoComplete="off" required />
        <button type="submit">Send</button>
      </form>
    </>
  )
}
