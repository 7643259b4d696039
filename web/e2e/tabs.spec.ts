import type { BrowserContext, Page } from '@playwright/test'
import { expect, type Person, register, registerElsewhere, test } from './fixtures'

test('signing out in one tab closes all the others', async ({ page, context }) => {
  await register(page)
  await page.goto('/account')
  const [first, ...rest] = await openTabs(context, ['/account', '/account/sessions', '/account/data'])
  await page.getByRole('button', { name: 'Sign out' }).click()
  for (const tab of [page, first, ...rest]) await expect(tab).toHaveURL('/sign-in')
  await first.reload()
  await expect(first.getByRole('heading', { name: 'Sign in' })).toBeVisible()
})

test('signing in as somebody else in one tab makes all the others theirs', async ({
  page,
  context,
  browser,
  baseURL,
}) => {
  const bob = await registerElsewhere(browser, baseURL)
  const ada = await register(page)
  await page.goto('/account')
  const [other] = await openTabs(context, ['/account'])
  await expect(other.getByRole('heading', { name: `Hello, ${ada.username}` })).toBeVisible()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(other).toHaveURL('/sign-in')
  await fill(page, bob)
  for (const tab of [page, other]) {
    await expect(tab.getByRole('heading', { name: `Hello, ${bob.username}` })).toBeVisible()
    await expect(tab.getByText(ada.username)).toHaveCount(0)
  }
})

test('a tab that another one has signed in as somebody else shows nothing of before', async ({
  page,
  context,
  browser,
  baseURL,
}) => {
  const bob = await registerElsewhere(browser, baseURL)
  const ada = await register(page)
  // Signed in over Ada's session, without signing her out: the cookie is Bob's from now on.
  const other = await context.newPage()
  await other.goto('/forgot-password')
  await other.evaluate(async ({ username, password }) => {
    const csrf = /csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? ''
    const headers = { 'Content-Type': 'application/json', 'X-Auth-Mode': 'cookie', 'X-CSRFToken': csrf }
    await fetch('/api/auth/login/', { method: 'POST', headers, body: JSON.stringify({ username, password }) })
  }, bob)
  await page.reload()
  await expect(page.getByRole('heading', { name: `Hello, ${bob.username}` })).toBeVisible()
  await expect(page.getByText(ada.username)).toHaveCount(0)
})

async function openTabs(context: BrowserContext, paths: [string, ...string[]]): Promise<[Page, ...Page[]]> {
  const [path, ...more] = paths
  const tab = await context.newPage()
  await tab.goto(path)
  await expect(tab.getByRole('heading', { level: 1 })).toBeVisible()
  const [next, ...rest] = more
  return next ? [tab, ...(await openTabs(context, [next, ...rest]))] : [tab]
}

async function fill(page: Page, person: Person): Promise<void> {
  await page.getByLabel('Username or e-mail').fill(person.username)
  await page.getByLabel('Password', { exact: true }).fill(person.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}
