import { expect, register, signIn, test } from './fixtures'

test('after a reload nothing secret is where scripts can read', async ({ page, context }) => {
  const bodies: string[] = []
  page.on('response', async (response) => {
    if (/\/(login|refresh|verify-email)\/$/.test(response.url())) bodies.push(await response.text())
  })
  const ada = await register(page)
  await page.reload()
  await expect(page.getByRole('heading', { name: `Hello, ${ada.username}` })).toBeVisible()

  const readable = await page.evaluate(async () => ({
    local: Object.entries(localStorage),
    session: Object.entries(sessionStorage),
    cookies: document.cookie,
    databases: (await indexedDB.databases()).length,
    caches: (await caches.keys()).length,
    workers: (await navigator.serviceWorker.getRegistrations()).length,
  }))
  expect(readable.local.map(([, value]) => value)).toEqual(['signed-in'])
  expect(readable.cookies).toMatch(/^csrftoken=[\w-]+$/)
  expect([readable.databases, readable.caches, readable.workers]).toEqual([0, 0, 0])
  // The router notes how far a page was scrolled.
  expect(JSON.stringify(readable)).not.toMatch(/eyJ/)
  expect(JSON.stringify(readable)).not.toContain(ada.password)

  const refresh = (await context.cookies()).find(({ name }) => name.endsWith('refresh'))
  expect(refresh).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/' })
  expect(JSON.stringify(readable)).not.toContain(refresh?.value)
  expect(bodies.length).toBeGreaterThanOrEqual(2)
  for (const body of bodies) {
    expect(JSON.parse(body)).toHaveProperty('access')
    expect(JSON.parse(body)).not.toHaveProperty('refresh')
    expect(body).not.toContain(refresh?.value)
  }
})

test('after signing out the cookie is gone, and what it held is worth nothing', async ({ page, context }) => {
  const ada = await register(page)
  await page.goto('/account')
  const before = await context.cookies()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(page).toHaveURL('/sign-in')
  expect((await context.cookies()).map(({ name }) => name)).not.toContain('refresh')
  expect(
    await page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('portcullis'))),
  ).toEqual([])

  await context.addCookies(before)
  const status = await page.evaluate(async () => {
    const csrf = /csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? ''
    const headers = { 'X-CSRFToken': csrf, 'Content-Type': 'application/json' }
    return (await fetch('/api/auth/refresh/', { method: 'POST', headers, body: '{}' })).status
  })
  expect(status).toBe(401)
  await signIn(page, ada)
})
