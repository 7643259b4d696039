// @vitest-environment happy-dom
import { act, StrictMode } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type RoomConversation, useConversation, useSession } from '../src/react.js'
import { FakeRoom } from './support/room.js'

let room: FakeRoom
let root: Root
let latest: RoomConversation

beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)
  vi.useFakeTimers()
  room = new FakeRoom()
  vi.stubGlobal('WebSocket', function openSocket(url: string) {
    return room.environment.openSocket(url)
  })
  root = createRoot(document.body.appendChild(document.createElement('div')))
})
afterEach(() => act(async () => root.unmount()))

function Room({ id }: { id: number }) {
  const session = useSession(room.client)
  latest = useConversation(room.client, id)
  const name = session.status === 'signed-in' ? session.user.username : session.status
  return <p>{[name, latest.state.status, ...latest.messages.map(({ text }) => text)].join(' ')}</p>
}

async function show(id: number): Promise<void> {
  await act(async () =>
    root.render(
      <StrictMode>
        <Room id={id} />
      </StrictMode>,
    ),
  )
  await later(() => undefined)
}
const shown = () => document.body.lastElementChild?.textContent
const later = (change: () => void) =>
  act(async () => {
    change()
    await vi.advanceTimersByTimeAsync(100)
  })

test('a component shows the room as it is and says things', async () => {
  await show(7)
  expect(shown()).toBe('ada open')
  const { send } = latest
  await later(() => room.say('hello'))
  await later(() => send('hi'))
  expect(shown()).toBe('ada open hello hi')
  expect(latest.send).toBe(send)
})

test('another room is another conversation, and none is left open', async () => {
  await show(7)
  await show(8)
  expect(room.sockets.filter(({ isOpen }) => isOpen).map(({ url }) => url.pathname)).toEqual(['/ws/chat/8/'])
  await act(async () => root.render(null))
  expect(room.sockets.filter(({ isOpen }) => isOpen)).toEqual([])
})

test('who signs out sees nothing more; who signs in sees the room anew', async () => {
  await show(7)
  const session = room.session
  await later(() => room.say('secret'))
  room.fates.history.push({ status: 401 })
  await later(() => room.become({ status: 'signed-out', reason: 'signed-out' }))
  expect(shown()).toBe('signed-out closed')
  await later(() => room.become(session))
  expect(shown()).toBe('ada open secret')
})
