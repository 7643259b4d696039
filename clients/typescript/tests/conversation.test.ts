import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Conversation, openConversationIn } from '../src/chat.js'
import type { User } from '../src/types.js'
import { FakeRoom } from './support/room.js'
import { failure, minutes, settled } from './support/time.js'

let room: FakeRoom
let conversation: Conversation

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-01-01T12:00:00Z') })
  room = new FakeRoom()
})
afterEach(() => conversation.close())

const later = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds)
const snapshot = () => conversation.getSnapshot()
const state = () => snapshot().state
const seqs = () => snapshot().messages.map(({ seq }) => seq)
const texts = () => snapshot().messages.map(({ text }) => text)
const upTo = (last: number, first = 1) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)

async function open(): Promise<void> {
  conversation = openConversationIn(room.environment, room.client, 7)
  await later(100)
}

describe('what is shown', () => {
  test('the newest page of the history, and then what comes', async () => {
    room.fill(60)
    conversation = openConversationIn(room.environment, room.client, 7)
    expect(state()).toEqual({ status: 'connecting' })
    await later(100)
    expect(state()).toEqual({ status: 'open' })
    expect(room.socket.url.href).toMatch(/^wss:\/\/example\.com\/ws\/chat\/7\/\?ticket=ticket-\d&after=60$/)
    room.say('hello')
    expect(seqs()).toEqual(upTo(61, 11))
  })

  test('older pages come before, until there are none', async () => {
    room.fill(120)
    await open()
    expect(snapshot().hasOlder).toBe(true)
    const [one, other] = [conversation.loadOlder(), conversation.loadOlder()]
    expect(snapshot().isLoadingOlder).toBe(true)
    await settled(Promise.all([one, other]))
    expect(snapshot()).toMatchObject({ hasOlder: true, isLoadingOlder: false })
    await settled(conversation.loadOlder())
    expect([seqs(), snapshot().hasOlder]).toEqual([upTo(120), false])
    await settled(conversation.loadOlder())
    expect(seqs()).toEqual(upTo(120))
  })

  test('a page that cannot be read rejects and can be asked for again', async () => {
    room.fill(60)
    await open()
    room.fates.history.push({ status: 500 })
    expect(await failure(conversation.loadOlder())).toMatchObject({ status: 500 })
    expect(snapshot().isLoadingOlder).toBe(false)
    await settled(conversation.loadOlder())
    expect(seqs()).toEqual(upTo(60))
  })

  test('the snapshot stays the same object until something changes', async () => {
    await open()
    const before = snapshot()
    const listener = vi.fn()
    const stop = conversation.subscribe(listener)
    room.socket.push('nonsense')
    room.socket.push({ type: 'typing' })
    room.socket.push(null)
    expect(snapshot()).toBe(before)
    expect(listener).not.toHaveBeenCalled()
    room.say('hello')
    expect(listener).toHaveBeenCalledTimes(1)
    stop()
    room.say('again')
    expect(listener).toHaveBeenCalledTimes(1)
  })

  test('a frame that comes twice is shown once', async () => {
    await open()
    const message = room.say('hello')
    room.socket.push(message)
    expect(texts()).toEqual(['hello'])
  })

  test('a frame that is left out is fetched, in order', async () => {
    await open()
    room.say('one')
    room.say('two', 'bob', true)
    room.say('three')
    expect(texts()).toEqual(['one'])
    await later(1000)
    expect(texts()).toEqual(['one', 'two', 'three'])
    expect(state().status).toBe('open')
  })
})

describe('a lost connection', () => {
  test('comes back with what was missed, however it was lost', async () => {
    await open()
    for (const code of [1006, 1001, 1011]) {
      const sockets = room.sockets.length
      room.say(`before ${code}`)
      room.socket.drop(code)
      expect(state()).toEqual({ status: 'waiting', attempt: 1, retryAt: Date.now() + 500 })
      room.say(`missed ${code}`, 'bob', true)
      await later(600)
      expect([state().status, room.sockets.length]).toEqual(['open', sockets + 1])
      // So long that it counts as a first failure again.
      await later(6000)
    }
    expect(seqs()).toEqual(upTo(6))
  })

  test('of a reader who is too slow is tried again later each time, however long it held', async () => {
    await open()
    for (const attempt of [1, 2, 3]) {
      await later(10_000)
      room.socket.drop(1013)
      expect(state()).toMatchObject({ status: 'waiting', attempt })
      await later(3000)
      expect(state().status).toBe('open')
    }
  })

  test('is tried again after twice as long each time, up to half a minute', async () => {
    await open()
    room.fates.history.push(...Array.from({ length: 9 }, () => 'offline' as const))
    room.socket.drop()
    const pauses: number[] = []
    while (room.fates.history.length > 0) {
      const pause = (state() as { retryAt: number }).retryAt - Date.now()
      pauses.push(pause)
      await later(pause)
    }
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000])
    expect(state()).toMatchObject({ status: 'waiting', attempt: 10 })
    await later(30_100)
    expect(state().status).toBe('open')
  })

  test('is not hammered by a server that lets nobody in', async () => {
    await open()
    room.refusals.push(1013, 1013, 1013)
    room.socket.drop(1013)
    await later(2500)
    expect(room.sockets).toHaveLength(3)
  })

  test('is spread by chance', async () => {
    room.environment.random = () => 0.5
    await open()
    room.socket.drop()
    expect(state()).toMatchObject({ retryAt: Date.now() + 375 })
  })

  test('waits as long as the server asks', async () => {
    await open()
    room.fates.ticket.push({ status: 429, headers: { 'Retry-After': '90' } })
    room.socket.drop()
    await later(600)
    const { retryAt } = state() as { retryAt: number }
    expect(retryAt - Date.now()).toBeGreaterThan(89_000)
    await later(91_000)
    expect(state().status).toBe('open')
  })

  test('comes back at once when the browser is online, is shown, or the user says so', async () => {
    await open()
    for (const act of [() => room.page('online'), () => room.page('shown'), () => conversation.reconnect()]) {
      room.page('offline')
      expect(state()).toMatchObject({ status: 'waiting' })
      act()
      await later(50)
      expect(state().status).toBe('open')
      await later(6000)
    }
  })

  test('what the offline page did not hear it hears afterwards, once', async () => {
    await open()
    room.say('one')
    const dead = room.socket
    room.page('offline')
    room.say('two', 'bob', true)
    room.page('online')
    await later(100)
    // A socket that was given up says something after all.
    dead.isOpen = true
    dead.push(room.messages[1])
    expect(texts()).toEqual(['one', 'two'])
  })

  test('takes its ticket, which is short-lived, only after the history', async () => {
    room.fill(60)
    await open()
    room.socket.drop()
    room.calls.length = 0
    await later(1000)
    expect(room.calls.at(-1)).toContain('ws-ticket')
    expect(state().status).toBe('open')
  })

  test('a lost answer to the ticket, a spent ticket and a socket that never opens are tried again', async () => {
    room.fates.ticket.push('lost')
    await open()
    expect(state().status).toBe('waiting')
    await later(600)
    expect(state().status).toBe('open')
    room.refusals.push(1006, 4001)
    room.socket.drop()
    await later(5000)
    expect(state().status).toBe('open')
  })

  test('after a long absence the history begins anew', async () => {
    room.fill(3)
    await open()
    room.socket.drop()
    room.fill(700)
    await later(2000)
    expect(seqs()).toEqual(upTo(703, 204))
    await settled(conversation.loadOlder())
    expect(seqs()).toEqual(upTo(703, 154))
  })

  test('an absence of several pages is filled', async () => {
    room.fill(3)
    await open()
    room.socket.drop()
    room.fill(170)
    await later(2000)
    expect([seqs(), snapshot().hasOlder]).toEqual([upTo(173), false])
  })

  test('a server that was set back to a backup is believed', async () => {
    room.fill(20)
    await open()
    room.messages = room.messages.slice(0, 5)
    room.socket.drop()
    await later(1000)
    room.say('new')
    expect(seqs()).toEqual(upTo(6))
  })

  test('a page that was hidden for long gets a new socket, in silence', async () => {
    await open()
    const states = new Set<string>()
    conversation.subscribe(() => states.add(state().status))
    room.page('hidden')
    await later(minutes(2))
    room.say('missed', 'bob', true)
    room.page('shown')
    await later(100)
    expect([texts(), room.sockets.length]).toEqual([['missed'], 2])
    expect([...states]).toEqual(['connecting', 'open'])
  })
})

describe('a connection that is silent', () => {
  test('is asked about after a minute, and left alone while there is nothing to hear', async () => {
    await open()
    room.say('hello')
    const before = room.calls.length
    await later(59_000)
    expect(room.calls).toHaveLength(before)
    await later(minutes(2))
    expect(room.calls.slice(before)).toEqual(Array(2).fill('/api/rooms/7/messages/?page_size=1'))
    expect([state().status, room.sockets.length]).toEqual(['open', 1])
  })

  test('is replaced without a word when it has swallowed something', async () => {
    await open()
    const states = new Set<string>()
    conversation.subscribe(() => states.add(state().status))
    room.say('swallowed', 'bob', true)
    await later(61_000)
    expect([texts(), room.sockets.length]).toEqual([['swallowed'], 2])
    expect([...states]).toEqual(['connecting', 'open'])
  })

  test('is not asked about by a page that nobody sees', async () => {
    await open()
    room.page('hidden')
    const before = room.calls.length
    await later(minutes(10))
    expect(room.calls).toHaveLength(before)
  })

  test('counts as lost when nobody answers', async () => {
    await open()
    room.fates.history.push('offline')
    await later(60_100)
    expect(state()).toMatchObject({ status: 'waiting', attempt: 1 })
    await later(1000)
    expect(state().status).toBe('open')
  })
})

describe('a conversation that ends', () => {
  const user = () => (room.session.status === 'signed-in' ? room.session.user : undefined)

  test('an access token that runs out is replaced without a word', async () => {
    await open()
    for (let round = 0; round < 3; round += 1) {
      await later(minutes(15))
      room.socket.drop(4001)
      expect(state().status).toBe('connecting')
      await later(100)
      expect(state().status).toBe('open')
    }
  })

  test('fresh tickets that are refused again and again mean signed out', async () => {
    await open()
    room.refusals.push(4001, 4001, 4001)
    await later(2000)
    room.socket.drop(4001)
    await later(minutes(5))
    expect(state().status).toBe('open')
    room.refusals.push(4001, 4001, 4001, 4001)
    room.socket.drop(4001)
    await later(minutes(5))
    expect([state(), room.sockets.length]).toEqual([{ status: 'closed', reason: 'signed-out' }, 9])
  })

  test('a ticket that the server refuses to a session that is over means signed out', async () => {
    await open()
    room.fates.ticket.push({ status: 401 })
    room.session = { status: 'signed-out', reason: 'expired' }
    room.socket.drop(4001)
    await later(100)
    expect(state()).toEqual({ status: 'closed', reason: 'signed-out' })
  })

  test.each([
    { status: 'signed-out', reason: 'signed-out' } as const,
    { status: 'unknown' } as const,
    { status: 'signed-in', user: { id: 2, username: 'bob' } as never } as const,
  ])('with its user: $status', async (session) => {
    await open()
    const { socket } = room
    conversation.send('bye')
    room.become(session)
    expect(state()).toEqual({ status: 'closed', reason: 'signed-out' })
    expect([socket.isOpen, snapshot().pending[0]?.problem]).toEqual([false, 'The conversation is closed.'])
    conversation.reconnect()
    await later(minutes(5))
    expect(room.sockets).toHaveLength(1)
  })

  test('a renewed session of the same user changes nothing', async () => {
    await open()
    room.become({ status: 'signed-in', user: { ...(user() as User), first_name: 'Ada' } })
    expect(state().status).toBe('open')
  })

  test.each([4003, 1008])('%i ends it until the user tries again', async (code) => {
    await open()
    room.socket.drop(code)
    expect(state()).toEqual({ status: 'closed', reason: code === 4003 ? 'forbidden' : 'flooding' })
    await later(minutes(5))
    room.page('online')
    room.page('shown')
    expect(room.sockets).toHaveLength(1)
    conversation.reconnect()
    await later(100)
    expect(state().status).toBe('open')
  })

  test.each([403, 404])('a history that answers %i is a room of others', async (status) => {
    room.fates.history.push({ status })
    await open()
    expect(state()).toEqual({ status: 'closed', reason: 'forbidden' })
  })

  test('one that was closed stays so, and leaves nothing running', async () => {
    await open()
    conversation.close()
    expect(state()).toEqual({ status: 'closed', reason: 'closed' })
    conversation.reconnect()
    room.page('online')
    await later(minutes(5))
    expect([room.sockets.length, vi.getTimerCount()]).toEqual([1, 0])
  })

  test('one that is closed during its first attempt opens no socket', async () => {
    conversation = openConversationIn(room.environment, room.client, 7)
    conversation.close()
    await later(100)
    expect(room.sockets).toHaveLength(0)
  })
})

describe('what is said', () => {
  const pending = () => snapshot().pending.map(({ text }) => text)

  test('is pending until it is back', async () => {
    await open()
    conversation.send('  hello \n')
    expect([pending(), texts()]).toEqual([['hello'], []])
    await later(50)
    expect([pending(), texts()]).toEqual([[], ['hello']])
    conversation.send(' \t\u0085\u3000 ')
    expect(pending()).toEqual([])
  })

  test('before the socket is open it waits, and is sent in order', async () => {
    conversation = openConversationIn(room.environment, room.client, 7)
    for (const text of ['one', 'two', 'three']) conversation.send(text)
    expect(pending()).toEqual(['one', 'two', 'three'])
    await later(200)
    expect([pending(), texts()]).toEqual([[], ['one', 'two', 'three']])
  })

  test('what others say in the same words is not taken for it', async () => {
    await open()
    conversation.send('yes')
    room.say('yes', 'bob')
    room.say('yes', null)
    expect(pending()).toEqual(['yes'])
    await later(50)
    expect([pending(), texts()]).toEqual([[], ['yes', 'yes', 'yes']])
  })

  test('a connection cut after the server stored it does not double it', async () => {
    await open()
    room.textFates.push('cut')
    conversation.send('one')
    conversation.send('two')
    await later(2000)
    expect([pending(), texts()]).toEqual([[], ['one', 'two']])
  })

  test('a text that the server stores only after it has closed the socket is not doubled', async () => {
    await open()
    room.socket.send = () => void setTimeout(() => room.say('one', 'ada', true), 300)
    conversation.send('one')
    room.socket.drop(4001)
    await later(3000)
    expect([pending(), texts()]).toEqual([[], ['one']])
  })

  test('a connection cut before the server had it does not lose it', async () => {
    await open()
    room.textFates.push('lost', 'lost')
    conversation.send('one')
    conversation.send('two')
    await later(10_000)
    expect([pending(), texts()]).toEqual([[], ['one', 'two']])
  })

  test('a dead connection, which swallows it, is replaced', async () => {
    await open()
    room.socket.send = () => undefined
    conversation.send('one')
    await later(19_000)
    expect(pending()).toEqual(['one'])
    await later(3000)
    expect([pending(), texts()]).toEqual([[], ['one']])
  })

  test('what the server refuses says why, holds up nothing, and can be sent again or dropped', async () => {
    await open()
    room.textFates.push('refused', 'refused')
    for (const text of ['one', 'two', 'three']) conversation.send(text)
    await later(200)
    expect(texts()).toEqual(['three'])
    expect(snapshot().pending).toMatchObject([
      { text: 'one', problem: 'Invalid message' },
      { text: 'two', problem: 'Invalid message' },
    ])
    const [one, two] = snapshot().pending.map(({ key }) => key)
    conversation.discard(two ?? '')
    conversation.resend(one ?? '')
    await later(100)
    expect([pending(), texts()]).toEqual([[], ['three', 'one']])
  })

  test('one that is too long for the server says so and is not sent again', async () => {
    await open()
    room.textFates.push('too-long')
    conversation.send('one')
    conversation.send('two')
    await later(2000)
    expect([state().status, texts()]).toEqual(['open', ['two']])
    expect(snapshot().pending).toMatchObject([{ text: 'one', problem: 'The message is too long.' }])
  })

  test.each(['cut', 'lost'] as const)(
    'one that was %s is not sent again by itself when too much was said since to tell',
    async (fate) => {
      room.fill(3)
      await open()
      room.textFates.push(fate)
      conversation.send('one')
      conversation.send('two')
      await later(15)
      room.fill(700)
      await later(3000)
      expect(texts().filter((text) => text !== 'x')).toEqual(['two'])
      expect(snapshot().pending).toMatchObject([{ text: 'one', problem: expect.stringContaining('Perhaps') }])
      conversation.resend(snapshot().pending[0]?.key ?? '')
      await later(100)
      expect([pending(), texts().at(-1)]).toEqual([[], 'one'])
    },
  )

  test('a text that is on its way cannot be dropped or sent twice', async () => {
    await open()
    conversation.send('one')
    const [one] = snapshot().pending
    conversation.discard(one?.key ?? '')
    conversation.resend(one?.key ?? '')
    await later(100)
    expect(texts()).toEqual(['one'])
  })

  test('a flood is slowed to what the server takes', async () => {
    await open()
    for (let count = 0; count < 120; count += 1) conversation.send(`text ${count}`)
    await later(9000)
    expect(seqs()).toHaveLength(50)
    await later(20_000)
    expect(texts()).toEqual(Array.from({ length: 120 }, (_, count) => `text ${count}`))
  })

  test('a listener that throws is reported and disturbs nobody', async () => {
    await open()
    conversation.subscribe(() => {
      throw new Error('a bug of the page')
    })
    const heard = vi.fn()
    conversation.subscribe(heard)
    room.say('hello')
    expect(heard).toHaveBeenCalled()
    await expect(later(1)).rejects.toThrow('a bug of the page')
  })
})
