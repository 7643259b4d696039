import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type ChatSocket, type Conversation, openConversation } from '../src/chat.js'
import { createClient, type PortcullisClient } from '../src/index.js'
import { PASSWORD, type RealServer, startServer, until } from './support/real-server.js'

const binary = process.env.PORTCULLIS_BINARY

describe.skipIf(!binary)('chat with the real server', () => {
  let server: RealServer
  const opened: Conversation[] = []

  beforeAll(async () => {
    server = await startServer(binary ?? '', ['ada', 'bob'])
  }, 60_000)
  afterAll(async () => {
    for (const conversation of opened) conversation.close()
    await server?.stop()
  })

  async function signIn(username: string): Promise<PortcullisClient> {
    const client = createClient({ baseUrl: server.url })
    await client.login({ username, password: PASSWORD })
    return client
  }

  function enter(client: PortcullisClient, roomId: number): Conversation {
    const webSocket = (url: string) => new WebSocket(url) as unknown as ChatSocket
    const conversation = openConversation(client, roomId, { webSocket })
    opened.push(conversation)
    return conversation
  }

  /** A private room of Ada's with Bob in it. */
  async function room(ada: PortcullisClient): Promise<number> {
    const { id } = await ada.request<{ id: number }>('POST', '/api/rooms/', { name: 'Den', is_public: false })
    await ada.request('POST', `/api/rooms/${id}/members/`, { username: 'bob' })
    return id
  }

  const texts = (conversation: Conversation) => conversation.getSnapshot().messages.map(({ text }) => text)
  const status = (conversation: Conversation) => conversation.getSnapshot().state.status
  const hasAll = (conversation: Conversation, count: number) =>
    until(async () => texts(conversation).length >= count && conversation.getSnapshot().pending.length === 0)

  test('two people talk through expiring tokens and a killed server; nothing is lost or doubled', async () => {
    const [ada, bob] = [await signIn('ada'), await signIn('bob')]
    const id = await room(ada)
    const [hers, his] = [enter(ada, id), enter(bob, id)]
    const sent: string[] = []
    const say = (conversation: Conversation, text: string) => {
      sent.push(text)
      conversation.send(text)
    }
    for (let count = 0; count < 30; count += 1) {
      say(hers, `ada ${count}`)
      say(his, `bob ${count}`)
      // Killed in the middle of what is on its way, for which nobody waits.
      if (count === 15) await server.kill()
      if (count === 20) await server.start()
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    // A server that took long to start finds them waiting for longer.
    for (const conversation of [hers, his]) {
      conversation.reconnect()
      await hasAll(conversation, 60)
    }
    expect(texts(hers)).toEqual(texts(his))
    expect([...texts(hers)].sort()).toEqual([...sent].sort())
    for (const name of ['ada', 'bob']) {
      const own = texts(hers).filter((text) => text.startsWith(name))
      expect(own).toEqual(sent.filter((text) => text.startsWith(name)))
    }
    const seqs = hers.getSnapshot().messages.map(({ seq }) => seq)
    expect(seqs).toEqual(Array.from({ length: 60 }, (_, index) => index + 1))
  }, 60_000)

  test('one who is removed sees it, and can come back when let in again', async () => {
    const [ada, bob] = [await signIn('ada'), await signIn('bob')]
    const id = await room(ada)
    const his = enter(bob, id)
    await until(async () => status(his) === 'open')
    await ada.request('DELETE', `/api/rooms/${id}/members/bob/`)
    await until(async () => status(his) === 'closed')
    expect(his.getSnapshot().state).toEqual({ status: 'closed', reason: 'forbidden' })
    his.reconnect()
    await until(async () => status(his) === 'closed')
    await ada.request('POST', `/api/rooms/${id}/members/`, { username: 'bob' })
    his.reconnect()
    await until(async () => status(his) === 'open')
  }, 30_000)

  test('hostile texts come as they were typed, and what is too long is refused by name', async () => {
    const ada = await signIn('ada')
    const hers = enter(ada, await room(ada))
    const hostile = '<img src=x onerror=alert(1)> &amp; \u202e "\u{1f600}"'
    hers.send(hostile)
    hers.send('x'.repeat(1001))
    hers.send('after')
    await until(async () => texts(hers).length === 2)
    expect(texts(hers)).toEqual([hostile, 'after'])
    expect(hers.getSnapshot().pending).toMatchObject([{ problem: 'Invalid message' }])
  }, 30_000)

  test('a session that ends elsewhere ends the conversation', async () => {
    const [here, there] = [await signIn('bob'), await signIn('bob')]
    const id = await room(await signIn('ada'))
    const his = enter(there, id)
    await until(async () => status(his) === 'open')
    await here.logoutAll()
    await until(async () => status(his) === 'closed')
    expect(his.getSnapshot().state).toEqual({ status: 'closed', reason: 'signed-out' })
  }, 30_000)
})
