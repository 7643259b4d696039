import type { APIRequestContext, Page } from '@playwright/test'
import { expect, type Person, signIn } from './fixtures'
import { callsOf, enlist, tokenOf } from './people'

/** So many messages go through one socket: more would be taken for a flood. */
const AT_ONCE = 50

/** Opens a room by the API, with others in it; gives its id. */
export async function openRoom(
  request: APIRequestContext,
  owner: Person,
  { name = 'The reading room', is_public = false, others = [] as Person[] } = {},
): Promise<number> {
  const calls = await callsOf(request, owner)
  const { id } = await calls<{ id: number }>('POST', '/api/rooms/', { name, is_public })
  for (const { username } of others) await calls('POST', `/api/rooms/${id}/members/`, { username })
  return id
}

/** The id of the newest room of that name that somebody sees. */
export async function roomCalled(request: APIRequestContext, who: Person, name: string): Promise<number> {
  const calls = await callsOf(request, who)
  const path = `/api/rooms/?search=${encodeURIComponent(name)}`
  const { results } = await calls<{ results: { id: number }[] }>('GET', path)
  const [room] = results
  if (!room) throw new Error(`there is no room called ${name}`)
  return room.id
}

/** Says something in the name of somebody who has no page, through sockets of a page of the server's. */
export async function say(page: Page, who: Person, room: number, texts: readonly string[]): Promise<void> {
  const token = await tokenOf(page.request, who)
  const path = `/ws/chat/${room}/?token=${token}`
  for (let start = 0; start < texts.length; start += AT_ONCE) {
    await page.evaluate(sayThrough, [path, texts.slice(start, start + AT_ONCE)] as const)
  }
}

/** One text after the other; runs in the page. */
function sayThrough([path, texts]: readonly [string, readonly string[]]): Promise<void> {
  const socket = new WebSocket(`ws://${location.host}${path}`)
  const waiting = [...texts]
  const next = () => socket.send(JSON.stringify({ message: waiting[0] }))
  return new Promise((done, fail) => {
    socket.onopen = next
    socket.onclose = ({ code }) => fail(new Error(`closed with ${code}`))
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data)
      if (frame.type === 'error') fail(new Error(frame.message))
      if (frame.text !== waiting[0]) return
      waiting.shift()
      if (waiting.length > 0) return next()
      socket.onclose = null
      socket.close()
      done()
    }
  })
}

/** Signs somebody new in, in a browser of their own. */
export async function enter(page: Page, request: APIRequestContext): Promise<Person> {
  const person = await enlist(request)
  await signIn(page, person)
  return person
}

/** The conversation on a page. */
export function logOf(page: Page) {
  return page.getByRole('region', { name: 'Conversation' })
}

/** What was said, as the page shows it, in its order; nothing that is still on its way. */
export function textsOf(page: Page): Promise<string[]> {
  return logOf(page).locator('[data-seq] [dir=auto]').allTextContents()
}

/** Writes into the field and sends it by Enter. */
export async function write(page: Page, text: string): Promise<void> {
  await page.getByLabel('Your message').fill(text)
  await page.keyboard.press('Enter')
}

/** Opens a room and waits until it is live. */
export async function visit(page: Page, room: number): Promise<void> {
  const opened = page.waitForEvent('websocket', (socket) => socket.url().includes(`/ws/chat/${room}/`))
  await page.goto(`/rooms/${room}`)
  await opened
  await expect(page.getByLabel('Your message')).toBeVisible()
}
