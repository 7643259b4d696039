import { expect, signIn, somebody } from './fixtures'
import { callsOf, enlist } from './people'
import { enter, logOf, openRoom, say, textsOf, visit, write } from './rooms'
import { testWithServer } from './server'

const test = testWithServer({})

test('a room is opened, found, joined, renamed, left and deleted', async ({
  page: adas,
  newPage,
  request,
}) => {
  const bos = await newPage()
  const ada = await enter(adas, request)
  const bo = await enter(bos, request)
  const name = `Night owls ${somebody().username}`
  await adas.getByRole('link', { name: 'Rooms' }).click()
  await expect(adas.getByRole('heading', { name: 'Rooms', exact: true })).toBeFocused()
  await adas.getByRole('button', { name: 'New room' }).click()
  await adas.getByRole('button', { name: 'Open the room' }).click()
  await expect(adas.getByText('Use 1 to 100 characters.')).toBeVisible()
  await adas.getByLabel('Name', { exact: true }).fill(name)
  await adas.getByRole('button', { name: 'Open the room' }).click()
  await expect(adas.getByRole('heading', { level: 1, name })).toBeFocused()
  await expect(adas).toHaveTitle(new RegExp(name))
  await write(adas, 'Who is there?')
  await expect.poll(() => textsOf(adas)).toEqual(['Who is there?'])

  await bos.goto('/rooms')
  await bos.getByLabel('Search rooms by name').fill('no such room')
  await expect(bos.getByText('No public room is called')).toBeVisible()
  await bos.getByLabel('Search rooms by name').fill(name)
  await bos.getByRole('button', { name: `Join ${name}` }).click()
  await expect.poll(() => textsOf(bos)).toEqual(['Who is there?'])
  await expect(bos.getByRole('button', { name: 'Delete the room' })).toHaveCount(0)

  await adas.getByRole('button', { name: 'Change name or access' }).click()
  await adas.getByLabel('Name', { exact: true }).fill(`${name} only`)
  await adas.getByRole('switch', { name: 'Public' }).uncheck()
  await adas.getByRole('button', { name: 'Save' }).click()
  await expect(adas.getByRole('heading', { level: 1, name: `${name} only` })).toBeVisible()
  await expect(adas.getByRole('img', { name: 'private' })).toBeVisible()

  await bos.getByRole('button', { name: 'Leave the room' }).click()
  await bos.getByRole('dialog').getByRole('button', { name: 'Leave the room' }).click()
  await expect(bos).toHaveURL('/rooms')
  await expect(bos.getByText('You are in no room yet')).toBeVisible()
  await expect(bos.getByRole('link', { name })).toHaveCount(0)

  await adas.getByLabel('Add by username').fill('nobody_of_this_name')
  await adas.getByRole('button', { name: 'Add', exact: true }).click()
  await expect(adas.getByText('There is no such user.')).toBeVisible()
  await adas.getByLabel('Add by username').fill(bo.username)
  await adas.getByRole('button', { name: 'Add', exact: true }).click()
  await expect(adas.getByRole('region', { name: 'Members' }).getByRole('link')).toHaveText([
    ada.username,
    bo.username,
  ])
  await bos.reload()
  await bos.getByRole('link', { name: `${name} only` }).click()
  await expect(logOf(bos).getByText('Who is there?')).toBeVisible()

  await adas.getByRole('button', { name: 'Delete the room' }).click()
  await adas.getByRole('dialog').getByRole('button', { name: 'Delete the room' }).click()
  await expect(adas).toHaveURL('/rooms')
  await expect(adas.getByText('You are in no room yet')).toBeVisible()
  await expect(bos.getByRole('heading', { name: 'You are not in this room any more' })).toBeFocused()
})

test('what is new is counted, shown and then read', async ({ page, request }) => {
  const ada = await enlist(request)
  const bo = await enlist(request)
  const room = await openRoom(request, ada, { name: 'Post', others: [bo] })
  const other = await openRoom(request, ada, { name: 'Quiet' })
  await page.goto('/sign-in')
  await say(page, bo, room, ['one', 'two', 'three'])
  await signIn(page, ada)
  const nav = page.getByRole('navigation', { name: 'Main' })
  await expect(nav.getByRole('link', { name: 'Rooms 3 unread messages' })).toBeVisible()
  await page.goto('/rooms')
  const row = page.getByRole('listitem').filter({ hasText: 'Post' })
  await expect(row).toContainText('3 unread messages')
  await expect(row).toContainText(`${bo.username}: three`)
  await row.getByRole('link').click()
  await expect(logOf(page).getByText('New', { exact: true })).toBeVisible()
  await expect(nav.getByRole('link', { name: 'Rooms', exact: true })).toBeVisible()
  const calls = await callsOf(request, ada)
  const unread = () => calls<{ results: { room: number; unread: number }[] }>('GET', '/api/rooms/unread/')
  await expect
    .poll(async () => (await unread()).results)
    .toEqual([
      { room, unread: 0 },
      { room: other, unread: 0 },
    ])
  // What comes while it is read is never unread.
  await say(page, bo, room, ['four'])
  await expect(logOf(page).getByText('four')).toBeVisible()
  await page.getByRole('link', { name: 'All rooms' }).click()
  await expect(page.getByText(`${bo.username}: four`)).toBeVisible()
  await expect.poll(async () => (await unread()).results[0]?.unread).toBe(0)
  await page.reload()
  await expect(page.getByText(`${bo.username}: four`)).toBeVisible()
  await expect(nav.getByRole('link', { name: 'Rooms', exact: true })).toBeVisible()
})

test('screen readers hear what others say now, and nothing of the history', async ({ page, request }) => {
  const ada = await enter(page, request)
  const bo = await enlist(request)
  const room = await openRoom(request, ada, { others: [bo] })
  await say(page, bo, room, ['old news'])
  await visit(page, room)
  await expect(logOf(page).getByText('old news')).toBeVisible()
  const announcer = page.locator('[data-announcer]')
  await expect(announcer).toHaveText('')
  await write(page, 'my own words')
  await expect(logOf(page).getByText('my own words')).toBeVisible()
  await say(page, bo, room, ['fresh news'])
  await expect(announcer).toHaveText(`${bo.username}: fresh news`)
})

test('when the session ends, nothing that was said stays on the page', async ({ page, request }) => {
  const ada = await enter(page, request)
  const room = await openRoom(request, ada)
  await visit(page, room)
  await write(page, 'between us')
  await expect.poll(() => textsOf(page)).toEqual(['between us'])
  await (await callsOf(request, ada))('POST', '/api/auth/logout-all/')
  await expect(page.getByText('You are signed out')).toBeVisible({ timeout: 15_000 })
  await expect(page.getByText('between us')).toHaveCount(0)
})
