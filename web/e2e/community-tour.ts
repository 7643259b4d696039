import type { APIRequestContext, Page } from '@playwright/test'
import { expect, type Person, signIn } from './fixtures'
import { type Book, type Calls, callsOf } from './people'
import { picture } from './picture'
import { enter, logOf, openRoom, roomCalled, say, visit, write } from './rooms'
import type { Server } from './server'
import type { Look } from './tour'

/** Somebody of `portcullis demo`. */
export function demoPerson(username: string): Person {
  return { username, email: `${username}@example.com`, password: 'Rainy-Library-42' }
}

/** The demo's community, some of whom have a picture. Making it again changes nothing. */
export async function openCommunity(page: Page, request: APIRequestContext, server: Server): Promise<void> {
  server.run(['demo'])
  for (const username of ['ada', 'finn']) {
    const { access } = await (
      await request.post('/api/auth/login/', { data: { username, password: demoPerson(username).password } })
    ).json()
    const buffer = await picture(page, 256, 256, username === 'ada')
    const answer = await request.patch('/api/profile/avatar/', {
      headers: { Authorization: `Bearer ${access}` },
      multipart: { avatar: { name: 'me.png', mimeType: 'image/png', buffer } },
    })
    expect(answer.status(), await answer.text()).toBe(200)
  }
}

/** Where a book of the demo is. */
export async function pathOfBook(request: APIRequestContext, title: string): Promise<string> {
  const { results } = await (await request.get(`/api/books/?search=${encodeURIComponent(title)}`)).json()
  const book: Book | undefined = results.find((found: Book) => found.title === title)
  return `/books/${book?.id}`
}

/** What visitors see. */
export async function tourOfVisitors(page: Page, request: APIRequestContext, look: Look): Promise<void> {
  await page.goto('/home')
  await expect(page.getByRole('article').first()).toBeVisible()
  await look('guest-home')
  await page.goto('/books')
  await expect(page.getByRole('article').first()).toBeVisible()
  await look('guest-books')
  await page.goto('/books?search=nothing+like+this')
  await expect(page.getByText('Nothing found')).toBeVisible()
  await look('guest-books-nothing')
  await page.goto(await pathOfBook(request, 'Pride and Prejudice'))
  await expect(page.getByRole('article').first()).toBeVisible()
  await look('guest-book')
  await page.goto('/people/ada')
  await expect(page.getByRole('article').first()).toBeVisible()
  await look('guest-person')
  await page.goto('/people/nobody_at_all')
  await look('guest-hidden')
}

/** Home, books, people and the editor, for a reader. */
export async function tourOfReaders(page: Page, request: APIRequestContext, look: Look): Promise<void> {
  await signIn(page, demoPerson('ada'))
  await expect(page.getByRole('article').first()).toBeVisible()
  await look('home')
  await page.goto('/books')
  await expect(page.getByRole('article').first()).toBeVisible()
  await look('books')
  const pride = await pathOfBook(request, 'Pride and Prejudice')
  await page.goto(pride)
  await expect(page.getByRole('region', { name: 'Your review' })).toBeVisible()
  await look('book-own')
  await page.getByRole('button', { name: /^Delete the review/ }).click()
  await expect(page.getByRole('dialog')).toBeVisible()
  await look('review-delete')
  await page.goto(await pathOfBook(request, 'Emma'))
  await expect(page.getByText('only you')).toBeVisible()
  await look('book-hidden')
  const empty = await pathOfBook(request, 'Crime and Punishment')
  await page.goto(empty)
  await expect(page.getByText('You have not reviewed')).toBeVisible()
  await look('book-empty')
  await page.goto(`${pride}/review`)
  await expect(page.getByRole('toolbar')).toBeVisible()
  await look('editor-filled')
  await page.getByRole('button', { name: 'Link' }).click()
  await expect(page.getByRole('dialog')).toBeVisible()
  await look('editor-link')
  await page.goto(`${empty}/review`)
  await expect(page.getByRole('toolbar')).toBeVisible()
  await page.getByRole('button', { name: 'Save the review' }).click()
  await expect(page.getByText('Choose one to five stars.')).toBeVisible()
  await look('editor-errors')
  await page.goto('/people/finn')
  await expect(page.getByRole('button', { name: /^Stop following/ })).toBeVisible()
  await look('person')
  await page.getByRole('button', { name: 'Block' }).click()
  await expect(page.getByRole('dialog')).toBeVisible()
  await look('person-block')
  await page.goto('/people/ada')
  await expect(page.getByRole('article').first()).toBeVisible()
  await look('person-own')
  await page.goto('/people/bo')
  await look('person-hidden')
}

/** Rooms, and what is said in them. */
export async function tourOfRooms(page: Page, request: APIRequestContext, look: Look): Promise<void> {
  const [ada, bo] = [demoPerson('ada'), demoPerson('bo')]
  await signIn(page, ada)
  const present = await roomCalled(request, ada, 'A present for Cleo')
  await say(page, bo, present, ['A lamp? A map?', 'Or a very long book.'])
  await page.goto('/rooms')
  await expect(page.getByRole('listitem').getByText('bo: Or a very long book.')).toBeVisible()
  await look('rooms')
  await page.getByRole('button', { name: 'New room' }).click()
  await page.getByRole('button', { name: 'Open the room' }).click()
  await look('rooms-new')
  await page.goto('/rooms?search=nothing+like+this')
  await expect(page.getByText('No public room')).toBeVisible()
  await look('rooms-nothing')
  await visit(page, present)
  await expect(logOf(page).getByText('Or a very long book.').last()).toBeVisible()
  await look('room-private')
  const reading = await roomCalled(request, ada, 'The reading room')
  await visit(page, reading)
  await write(page, 'Chapter 32 is the best one.\nI will not discuss it further.')
  await expect(logOf(page).getByText('I will not discuss').last()).toBeVisible()
  await look('room')
  if (!(await page.getByRole('region', { name: 'Members' }).isVisible())) {
    await page.getByRole('button', { name: 'Members' }).click()
  }
  await expect(page.getByRole('button', { name: 'Remove bo' })).toBeVisible()
  await look('room-members')
  await page.getByRole('button', { name: 'Remove bo' }).click()
  await look('room-remove')
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('button', { name: 'Change name or access' }).click()
  await look('room-edit')
}

/** Rooms in trouble, and those that are empty. */
export async function tourOfTroubledRooms(page: Page, request: APIRequestContext, look: Look): Promise<void> {
  const dora = await enter(page, request)
  await page.goto('/rooms')
  await expect(page.getByText('You are in no room yet')).toBeVisible()
  await look('rooms-none')
  const room = await openRoom(request, dora, { name: 'Echo chamber' })
  await visit(page, room)
  await look('room-empty')
  await say(
    page,
    dora,
    room,
    Array.from({ length: 45 }, (_, at) => `Echo ${at + 1}`),
  )
  await logOf(page).evaluate((log) => log.scrollTo(0, log.scrollHeight / 2))
  await say(page, dora, room, ['One more echo'])
  await expect(page.getByRole('button', { name: '1 new message' })).toBeVisible()
  await look('room-scrolled')
  await page.routeWebSocket(/\/ws\/chat\//, (socket) => {
    socket.connectToServer()
    socket.onMessage(() =>
      socket.send(
        JSON.stringify({ type: 'error', message: 'The message was not stored. Please try again.' }),
      ),
    )
  })
  await visit(page, room)
  await write(page, 'Is anybody out there?')
  await expect(page.getByRole('button', { name: 'Send again' })).toBeVisible()
  await page.getByLabel('Your message').fill('x'.repeat(1003))
  await look('room-not-sent')
  await page.getByLabel('Your message').fill('')
  await page.route('**/api/auth/ws-ticket/', (route) => route.abort())
  await page.goto(`/rooms/${room}`)
  await expect(page.getByText('The connection is lost')).toBeVisible({ timeout: 30_000 })
  await look('room-waiting')
  await page.unroute('**/api/auth/ws-ticket/')
  const ghosts = await roomCalled(request, demoPerson('dora'), 'Ghosts & other guests')
  await page.goto(`/rooms/${ghosts}`)
  await expect(page.getByRole('button', { name: 'Join Ghosts & other guests' })).toBeVisible()
  await look('room-outside')
  await visit(page, room)
  await (await callsOf(request, dora))('DELETE', `/api/rooms/${room}/`)
  await expect(page.getByText('You are not in this room any more')).toBeVisible()
  await look('room-gone')
}

/** The events of a search that ends in the middle of one. */
export async function brokenAnswer(request: APIRequestContext): Promise<string> {
  const book = Number((await pathOfBook(request, 'Emma')).split('/').at(-1))
  const results = [{ book, score: 0.9, reason: 'Its title has “emma”.' }]
  const list = JSON.stringify({ query: 'emma', provider: 'local', results })
  return `event: results\ndata: ${list}\n\nevent: answer\ndata: {"text":"Emma is"}\n\nevent: do`
}

/** The search: before a question, with an answer, and when there is none. */
export async function tourOfSearch(page: Page, request: APIRequestContext, look: Look): Promise<void> {
  await page.goto('/search')
  await expect(page.getByText('Sign in to search')).toBeVisible()
  await look('guest-search')
  await signIn(page, demoPerson('ada'))
  await page.goto('/search')
  const box = page.getByLabel('What are you looking for?')
  await expect(box).toBeVisible()
  await look('search')
  const ask = async (query: string) => {
    await box.fill(query)
    await box.press('Enter')
  }
  await ask('a young woman in England who does not want to marry for money')
  await expect(page.getByRole('article').first()).toBeVisible()
  await look('search-answer')
  await ask('qqzzx wwvvk')
  await expect(page.getByRole('main').getByText('Nothing fits').last()).toBeVisible()
  await look('search-nothing')
  await ask('x'.repeat(520))
  await expect(page.getByText('20 characters too many.')).toBeVisible()
  await look('search-too-long')
  const answers = [
    { contentType: 'text/event-stream', body: await brokenAnswer(request) },
    {
      status: 429,
      headers: { 'Retry-After': '1380' },
      json: { code: 'throttled', detail: 'Rate limit exceeded' },
    },
    { status: 500, json: { code: 'error', detail: 'Something went wrong' } },
  ]
  await page.route('**/api/ai/search/', (route) => route.fulfill(answers.shift()))
  await ask('emma')
  await expect(page.getByRole('button', { name: 'Ask again' })).toBeVisible()
  await expect(page.getByRole('article')).toBeVisible()
  await look('search-cut')
  await ask('emma')
  await expect(page.getByText('The next question is possible at')).toBeVisible()
  await look('search-limit')
  await ask('emma')
  await expect(page.getByRole('button', { name: 'Ask again' })).toBeVisible()
  await look('search-failed')
}

/** The settings of the community. */
export async function tourOfSettings(page: Page, newPage: () => Promise<Page>, look: Look): Promise<void> {
  await signIn(page, demoPerson('ada'))
  await page.goto('/settings/profile')
  await expect(page.getByLabel('A few words')).toBeVisible()
  await look('settings-profile')
  const buffer = await picture(await newPage(), 900, 600)
  await page
    .locator('input[type=file]')
    .setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: buffer })
  await expect(page.getByRole('application')).toBeVisible()
  await look('settings-crop')
  await page.goto('/settings/notifications')
  await expect(page.getByRole('switch').first()).toBeVisible()
  await look('settings-notifications')
  await page.goto('/follow-requests')
  await expect(page.getByText('No open requests')).toBeVisible()
  await look('requests-none')
  await page.goto('/settings/blocked')
  await expect(page.getByText('Nobody is blocked')).toBeVisible()
  await look('blocked-none')
}

/** Requests and blocks where there are some; each in a browser of its own. */
export async function tourOfRequests(page: Page, look: Look): Promise<void> {
  await signIn(page, demoPerson('bo'))
  await page.goto('/follow-requests')
  await expect(page.getByRole('button', { name: /^Let/ })).toBeVisible()
  await look('requests')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await signIn(page, demoPerson('dora'))
  await page.goto('/settings/blocked')
  await expect(page.getByRole('button', { name: /^Unblock/ })).toBeVisible()
  await look('blocked')
}

/** What staff see beside it. */
export async function tourOfStaff(page: Page, request: APIRequestContext, look: Look): Promise<void> {
  await signIn(page, demoPerson('keeper'))
  await page.goto('/books')
  await expect(page.getByRole('link', { name: 'Add a book' })).toBeVisible()
  await look('staff-books')
  await page.goto('/books/new')
  await page.getByRole('button', { name: 'Add the book' }).click()
  await look('staff-new-book')
  const path = await pathOfBook(request, 'Pride and Prejudice')
  await page.goto(`${path}/edit`)
  await expect(page.getByLabel('Title')).toHaveValue('Pride and Prejudice')
  await look('staff-edit-book')
  await page.goto(path)
  await expect(page.getByRole('article').first()).toBeVisible()
  await look('staff-book')
}

/** Lists that do not come, and a mail's page. */
export async function tourOfFailures(page: Page, request: APIRequestContext, look: Look): Promise<void> {
  await page.route('**/api/books/**', (route) => route.abort())
  await page.goto('/books')
  await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible({ timeout: 30_000 })
  await look('books-failed')
  await page.goto(await unsubscribeLink(request, await callsOf(request, demoPerson('eli'))))
  await expect(page.getByRole('heading', { name: 'Turn mails off?' })).toBeVisible()
  await look('unsubscribe')
  await page.getByRole('button').click()
  await expect(page.getByRole('heading', { name: 'They are off' })).toBeVisible()
  await look('unsubscribed')
}

/** Of the mail that Finn gets when somebody follows him. */
async function unsubscribeLink(request: APIRequestContext, calls: Calls): Promise<string> {
  const finns = await callsOf(request, demoPerson('finn'))
  await finns('PATCH', '/api/profile/', { notification_preferences: { new_follower: true } })
  await calls('DELETE', '/api/profiles/finn/follow/')
  await calls('POST', '/api/profiles/finn/follow/')
  return mailedUnsubscribe(request, 'finn@')
}

/** The link at the foot of the newest mail to an address that can be turned off. */
export async function mailedUnsubscribe(request: APIRequestContext, address: string): Promise<string> {
  let link = ''
  await expect
    .poll(async () => {
      const { results } = await (await request.get('/dev/mail/messages')).json()
      for (const { id } of results.filter(({ to }: { to: string }) => to.startsWith(address))) {
        const text = await (await request.get(`/dev/mail/${id}/text`)).text()
        link = /https?:\S+unsubscribe\S+/.exec(text)?.[0] ?? link
      }
      return link
    })
    .toContain('/api/notifications/unsubscribe')
  return link
}
