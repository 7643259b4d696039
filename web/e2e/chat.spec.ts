import type { Page } from '@playwright/test'
import { expect } from './fixtures'
import { enlist } from './people'
import { enter, logOf, openRoom, say, textsOf, visit, write } from './rooms'
import { testWithServer } from './server'

const test = testWithServer({})
test.setTimeout(120_000)

const numbers = (count: number, from = 1) => Array.from({ length: count }, (_, at) => `message ${from + at}`)

test('three people talk; whoever is removed sees it at once and cannot read, write or come back', async ({
  page: adas,
  newPage,
  request,
}) => {
  const [bos, cys] = [await newPage(), await newPage()]
  const ada = await enter(adas, request)
  const bo = await enter(bos, request)
  const cy = await enter(cys, request)
  const room = await openRoom(request, ada, { others: [bo, cy] })
  for (const page of [adas, bos, cys]) await visit(page, room)
  await write(adas, 'Hello, you two')
  await expect(logOf(bos).getByText('Hello, you two')).toBeVisible()
  await write(bos, 'Hello, Ada')
  await expect(logOf(cys).getByText('Hello, Ada')).toBeVisible()
  await write(cys, 'Good evening')
  const said = ['Hello, you two', 'Hello, Ada', 'Good evening']
  for (const page of [adas, bos, cys]) await expect.poll(() => textsOf(page)).toEqual(said)

  await adas.getByRole('button', { name: `Remove ${cy.username}` }).click()
  await adas.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  const gone = cys.getByRole('heading', { name: 'You are not in this room any more' })
  await expect(gone).toBeFocused({ timeout: 5000 })
  await expect(cys.getByText('Good evening')).toHaveCount(0)
  await expect(cys.getByLabel('Your message')).toHaveCount(0)
  await write(adas, 'She is gone')
  await expect(logOf(bos).getByText('She is gone')).toBeVisible()
  await cys.goto(`/rooms/${room}`)
  await expect(cys.getByRole('heading', { name: 'Page not found' })).toBeVisible()
  await cys.goto('/rooms')
  await expect(cys.getByText('You are in no room yet')).toBeVisible()
  await expect(cys.getByText('She is gone')).toHaveCount(0)
  const members = adas.getByRole('region', { name: 'Members' })
  await expect(members.getByRole('link')).toHaveText([ada.username, bo.username])
})

test('whoever was offline misses nothing and sees nothing twice', async ({
  page: adas,
  newPage,
  request,
}) => {
  const bos = await newPage()
  const ada = await enter(adas, request)
  const bo = await enter(bos, request)
  const room = await openRoom(request, ada, { others: [bo] })
  for (const page of [adas, bos]) await visit(page, room)
  await write(adas, 'before')
  await expect(logOf(bos).getByText('before')).toBeVisible()

  await bos.context().setOffline(true)
  await expect(bos.getByText('The connection is lost')).toBeVisible()
  const missed = numbers(40)
  for (const text of missed) await write(adas, text)
  await write(bos, 'from underground')
  await expect(logOf(bos).getByText('sending')).toBeVisible()
  await expect.poll(() => textsOf(adas)).toEqual(['before', ...missed])
  expect(await textsOf(bos)).toEqual(['before'])

  await bos.context().setOffline(false)
  const all = ['before', ...missed, 'from underground']
  for (const page of [adas, bos]) await expect.poll(() => textsOf(page), { timeout: 20_000 }).toEqual(all)
  await expect(bos.getByText('The connection is lost')).toHaveCount(0)
  await expect(logOf(bos).getByText('sending')).toHaveCount(0)
})

test('a server that stops and starts again loses and doubles nothing', async ({
  page: adas,
  newPage,
  request,
  server,
}) => {
  const bos = await newPage()
  const ada = await enter(adas, request)
  const bo = await enter(bos, request)
  const room = await openRoom(request, ada, { others: [bo] })
  for (const page of [adas, bos]) await visit(page, room)
  await write(adas, 'first')
  await expect(logOf(bos).getByText('first')).toBeVisible()
  await server.halt()
  for (const page of [adas, bos]) await expect(page.getByText('The connection is lost')).toBeVisible()
  await write(adas, 'while nobody listened')
  await server.resume()
  for (const page of [adas, bos]) {
    await tryNow(page)
    await expect.poll(() => textsOf(page), { timeout: 40_000 }).toEqual(['first', 'while nobody listened'])
  }
  await write(bos, 'again')
  for (const page of [adas, bos]) {
    await expect.poll(() => textsOf(page)).toEqual(['first', 'while nobody listened', 'again'])
    await expect(page.getByText('The connection is lost')).toHaveCount(0)
  }
})

test('two hundred messages are read by scrolling, and what one reads stays in its place', async ({
  page,
  request,
}) => {
  const ada = await enter(page, request)
  const bo = await enlist(request)
  const room = await openRoom(request, ada, { others: [bo] })
  const all = numbers(200)
  await say(page, bo, room, all)
  await visit(page, room)
  await expect(logOf(page).getByText('message 200', { exact: true })).toBeInViewport()
  expect((await textsOf(page)).length).toBeLessThan(200)
  const log = logOf(page)
  for (let rounds = 0; rounds < 60 && (await textsOf(page)).length < 200; rounds += 1) {
    const loaded = (await textsOf(page)).length
    // The first row that is wholly in sight.
    const row = await firstInSight(page)
    await log.hover()
    await page.mouse.wheel(0, -300)
    await expect.poll(() => placeOf(page, row.seq).then((place) => place - row.place)).toBeGreaterThan(200)
    const before = await firstInSight(page)
    if (before.scrollTop < 400) {
      await expect.poll(async () => (await textsOf(page)).length).toBeGreaterThan(loaded)
      expect(Math.abs((await placeOf(page, before.seq)) - before.place)).toBeLessThan(4)
    }
  }
  expect(await textsOf(page)).toEqual(all)

  // Away from the end, what is new waits below.
  const { seq, place } = await firstInSight(page)
  await say(page, bo, room, ['news', 'more news'])
  await expect(page.getByRole('button', { name: '2 new messages' })).toBeVisible()
  expect(Math.abs((await placeOf(page, seq)) - place)).toBeLessThan(4)
  await page.getByRole('button', { name: '2 new messages' }).click()
  await expect(log.getByText('more news', { exact: true })).toBeInViewport()
  await expect(page.getByRole('button', { name: '2 new messages' })).toHaveCount(0)
})

test('hostile texts are shown as they were typed', async ({ page, request }) => {
  const ada = await enter(page, request)
  const bo = await enlist(request)
  const name = '"><img src=x onerror=alert(1)>'
  const room = await openRoom(request, ada, { name, others: [bo] })
  const hostile = [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '&lt;b&gt; &amp; {{7*7}}',
    'javascript:alert(1) https://example.com/',
    '\u202Egnitirw sdrawkcab\u202C and Z\u0351\u036B\u0343\u036A\u0302a\u0321\u0319l\u0321g\u0317o',
    'x'.repeat(1000),
    'line one\nline two',
  ]
  let dialogs = 0
  page.on('dialog', (dialog) => {
    dialogs += 1
    void dialog.dismiss()
  })
  await say(page, bo, room, hostile)
  await visit(page, room)
  await expect.poll(() => textsOf(page)).toEqual(hostile)
  await expect(page.getByRole('heading', { level: 1, name, exact: true })).toBeVisible()
  expect(await logOf(page).locator('li :is(img, script, b, a[href*=javascript])').count()).toBe(0)
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0)
  await page.goto('/rooms')
  await expect(page.getByRole('link', { name, exact: true })).toBeVisible()
  expect(dialogs).toBe(0)
})

test('by keyboard: Enter sends, Shift+Enter breaks, a thousand characters are the end', async ({
  page,
  request,
}) => {
  const ada = await enter(page, request)
  const room = await openRoom(request, ada)
  await visit(page, room)
  const field = page.getByLabel('Your message')
  await field.focus()
  await page.keyboard.type('one')
  await page.keyboard.press('Shift+Enter')
  await page.keyboard.type('two')
  await page.keyboard.press('Enter')
  await expect.poll(() => textsOf(page)).toEqual(['one\ntwo'])
  await expect(field).toHaveValue('')
  await expect(field).toBeFocused()
  await page.keyboard.press('Enter')
  await field.fill('📚'.repeat(1001))
  await expect(page.getByText('1 character too many')).toBeVisible()
  await page.keyboard.press('Enter')
  await field.fill('📚'.repeat(1000))
  await expect(page.getByText('1000 of 1000 characters')).toBeVisible()
  await page.keyboard.press('Enter')
  await expect.poll(() => textsOf(page)).toEqual(['one\ntwo', '📚'.repeat(1000)])
})

/** Does not wait for the next try; it may come by itself before the click. */
async function tryNow(page: Page): Promise<void> {
  const button = page.getByRole('button', { name: 'Try now' })
  await button.click({ timeout: 3000 }).catch(() => undefined)
}

/** The first message that is wholly in sight, and how far below the top of the list it is. */
function firstInSight(page: Page) {
  return logOf(page).evaluate((log) => {
    const top = log.getBoundingClientRect().top
    for (const row of log.querySelectorAll('[data-seq]')) {
      const place = row.getBoundingClientRect().top - top
      if (place >= 0) return { seq: Number(row.getAttribute('data-seq')), place, scrollTop: log.scrollTop }
    }
    throw new Error('no message is in sight')
  })
}

function placeOf(page: Page, seq: number): Promise<number> {
  return logOf(page).evaluate((log, wanted) => {
    const row = log.querySelector(`[data-seq="${wanted}"]`)
    return (row?.getBoundingClientRect().top ?? Number.NaN) - log.getBoundingClientRect().top
  }, seq)
}
