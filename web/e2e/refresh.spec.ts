import type { BrowserContext, Page } from '@playwright/test'
import { openClientPage } from './client-page'
import { expect, register } from './fixtures'
import { testWithServer } from './server'

const LIFETIME = 3000
const test = testWithServer({
  PORTCULLIS_TOKENS__ACCESS_LIFETIME: '3s',
  PORTCULLIS_LOG__LEVEL: 'info',
})

test.afterEach(({ server }) => {
  expect(server.log()).not.toContain('token.reused')
})

test('three calls at once on an expired access token make one refresh', async ({ page, context }) => {
  const ada = await register(page)
  await openClientPage(page)
  await page.evaluate(() => window.client.restore())
  await page.waitForTimeout(LIFETIME + 200)
  const refreshes = countRefreshes(context)
  const answers = await page.evaluate(async () => {
    const paths = ['/api/auth/me/', '/api/auth/sessions/', '/api/auth/me/export/']
    const responses = await Promise.all(paths.map((path) => window.client.fetch(path)))
    return Promise.all(responses.map(async (response) => [response.status, await response.text()] as const))
  })
  expect(answers.map(([status]) => status)).toEqual([200, 200, 200])
  expect(answers[0]?.[1]).toContain(ada.username)
  expect(refreshes()).toBe(1)
})

test('three calls whose token the server alone calls expired make one refresh', async ({ page, context }) => {
  await register(page)
  await openClientPage(page)
  // The page's clock stands still, as after a sleep: the client cannot know, and hears 401 three times.
  await page.evaluate(() => {
    const now = Date.now()
    Date.now = () => now
    return window.client.restore()
  })
  await page.waitForTimeout(LIFETIME + 200)
  const refreshes = countRefreshes(context)
  const statuses = await page.evaluate(() =>
    Promise.all([1, 2, 3].map(async () => (await window.client.fetch('/api/auth/me/')).status)),
  )
  expect(statuses).toEqual([200, 200, 200])
  expect(refreshes()).toBe(1)
})

test('ten tabs whose tokens expired together stay signed in', async ({ page, context }) => {
  test.setTimeout(120_000)
  const ada = await register(page)
  await page.goto('/account')
  const tabs = [page]
  while (tabs.length < 10) tabs.push(await openAccount(context))
  await page.waitForTimeout(LIFETIME + 200)

  let refreshes = countRefreshes(context)
  await Promise.all(
    tabs.map((tab) =>
      tab.evaluate(() => document.querySelector<HTMLElement>('nav a[href$=sessions]')?.click()),
    ),
  )
  for (const tab of tabs)
    await expect(tab.getByText('this one', { exact: true })).toBeVisible({ timeout: 20_000 })
  note('ten expired tabs', refreshes())
  expect(refreshes()).toBeLessThanOrEqual(3)

  await page.waitForTimeout(LIFETIME + 200)
  refreshes = countRefreshes(context)
  await Promise.all(tabs.map((tab) => tab.reload()))
  for (const tab of tabs)
    await expect(tab.getByText('this one', { exact: true })).toBeVisible({ timeout: 20_000 })
  note('ten tabs loaded again', refreshes())
  // A tab that was not there yet when another one got the token asks for its own.
  expect(refreshes()).toBeLessThanOrEqual(10)

  await page.getByRole('link', { name: 'Profile' }).click()
  await expect(page.getByRole('heading', { name: `Hello, ${ada.username}` })).toBeVisible()
  await page.getByRole('link', { name: 'Sessions' }).click()
  await expect(page.getByText('No other device is signed in.')).toBeVisible()
})

test('a laptop that slept overnight wakes up signed in', async ({ page, context }) => {
  await page.clock.install()
  const ada = await register(page)
  await page.goto('/account')
  await freeze(page, 'frozen')
  await new Promise((done) => setTimeout(done, LIFETIME + 200))
  await freeze(page, 'active')
  await page.clock.fastForward('10:00:00')

  // The network is the last to wake up.
  await context.setOffline(true)
  await page.getByRole('link', { name: 'Sessions' }).click()
  await expect(page.getByText('You are offline.')).toBeVisible()
  await expect(page.getByRole('heading', { name: 'No connection' })).toBeVisible()
  await page.clock.runFor(5000)
  await context.setOffline(false)
  const shown = page.getByText('this one', { exact: true })
  await expect(async () => {
    await page.clock.runFor(5000)
    await expect(shown).toBeVisible({ timeout: 500 })
  }).toPass({ timeout: 20_000 })
  await page.getByRole('link', { name: 'Profile' }).click()
  await expect(page.getByRole('heading', { name: `Hello, ${ada.username}` })).toBeVisible()
})

async function openAccount(context: BrowserContext): Promise<Page> {
  const tab = await context.newPage()
  await tab.goto('/account')
  await expect(tab.getByRole('heading', { level: 1, name: 'Hello' })).toBeVisible()
  return tab
}

/** Counts from now on. */
function countRefreshes(context: BrowserContext): () => number {
  let count = 0
  context.on('request', (request) => {
    if (request.url().endsWith('/api/auth/refresh/')) count += 1
  })
  return () => count
}

async function freeze(page: Page, state: 'frozen' | 'active'): Promise<void> {
  const session = await page.context().newCDPSession(page)
  await session.send('Page.setWebLifecycleState', { state })
  await session.detach()
}

function note(what: string, refreshes: number): void {
  test.info().annotations.push({ type: 'refreshes', description: `${what}: ${refreshes}` })
}
