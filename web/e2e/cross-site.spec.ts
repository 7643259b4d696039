import type { BrowserContext, Page } from '@playwright/test'
import { expect, type Person, register, registerElsewhere, signIn, test } from './fixtures'
import { type Call, call, postForm, type Site, startSite } from './site'

const JSON_TYPE = { 'Content-Type': 'application/json' }
const NEW_PASSWORD = 'Mallorys-choice-99'

let site: Site
test.beforeAll(async () => {
  site = await startSite()
})
test.afterAll(() => site.stop())

for (const kind of ['crossSite', 'sameSite'] as const) {
  test.describe(kind === 'crossSite' ? 'another site' : "another origin of the server's site", () => {
    test('forms of others change nothing', async ({ page, context, browser, baseURL }) => {
      const mallory = await registerElsewhere(browser, baseURL)
      const victim = await victimOf(page, context)
      const evil = await openEvil(context, kind)
      for (const [path, body] of attempts(mallory, victim.ada)) {
        for (const enctype of ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain']) {
          await evil.goto(site[kind])
          // As text/plain a form's name and value are JSON when they are put together.
          const json = JSON.stringify(body)
          const fields = enctype === 'text/plain' ? { [`${json.slice(0, -1)},"x":"`]: '"}' } : body
          const status = await postForm(evil, `${baseURL}${path}`, enctype, fields)
          expect(status, `${path} as ${enctype}`).toBeGreaterThanOrEqual(400)
        }
      }
      await victim.expectUnharmed()
    })

    test('scripts of others change nothing and read nothing', async ({ page, context, browser, baseURL }) => {
      const mallory = await registerElsewhere(browser, baseURL)
      const victim = await victimOf(page, context)
      const evil = await openEvil(context, kind)
      const csrf = (await context.cookies()).find(({ name }) => name === 'csrftoken')?.value ?? ''
      for (const [path, fields] of attempts(mallory, victim.ada)) {
        const body = JSON.stringify(fields)
        const calls: Call[] = [
          { path, method: 'POST', body, headers: JSON_TYPE },
          { path, method: 'POST', body, headers: { 'Content-Type': 'text/plain' } },
          { path, method: 'POST', body, mode: 'no-cors' },
          // With everything that a page of ours would send, had it been read.
          {
            path,
            method: 'POST',
            body,
            headers: { ...JSON_TYPE, 'X-Auth-Mode': 'cookie', 'X-CSRFToken': csrf },
          },
        ]
        for (const made of calls) {
          const read = await call(evil, baseURL ?? '', made)
          expect(['unreadable', '0 '], JSON.stringify(made)).toContain(read)
        }
      }
      for (const path of [
        '/api/auth/csrf/',
        '/api/auth/me/',
        '/dev/mail/messages',
        '/account',
        '/api/schema',
      ]) {
        expect(await call(evil, baseURL ?? '', { path }), path).toBe('unreadable')
      }
      await victim.expectUnharmed()
    })

    test('a page of others can neither frame ours nor hold on to its window', async ({
      page,
      context,
      baseURL,
      complaints,
    }) => {
      await register(page)
      const evil = await openEvil(context, kind)
      await evil.evaluate(async (url) => {
        const frame = document.createElement('iframe')
        frame.src = `${url}/account`
        const loaded = new Promise((done) => frame.addEventListener('load', done))
        document.body.append(frame)
        await loaded
      }, baseURL)
      expect(evil.frames()[1]?.url()).toMatch(/^chrome-error:/)
      expect(complaints.splice(0).join()).toContain("frame-ancestors 'none'")

      const popup = context.waitForEvent('page')
      await evil.evaluate((url) => {
        Object.assign(window, { opened: window.open(`${url}/account`) })
      }, baseURL)
      const opened = await popup
      await expect(opened.getByRole('heading', { level: 1, name: 'Hello' })).toBeVisible()
      expect(await opened.evaluate(() => window.opener)).toBeNull()
      expect(await evil.evaluate(() => (window as unknown as { opened: Window }).opened.closed)).toBe(true)
    })
  })
}

/** Signing the victim in as Mallory, renewing, signing out, and taking the account. */
function attempts(mallory: Person, ada: Person): [string, Record<string, string>][] {
  const { username, password } = mallory
  return [
    ['/api/auth/login/', { username, password }],
    ['/api/auth/refresh/', { any: '' }],
    ['/api/auth/logout/', { any: '' }],
    ['/api/auth/logout-all/', { any: '' }],
    ['/api/auth/change-password/', { current_password: ada.password, new_password: NEW_PASSWORD }],
  ]
}

async function victimOf(page: Page, context: BrowserContext) {
  const ada = await register(page)
  const cookies = async () =>
    JSON.stringify((await context.cookies()).filter(({ name }) => /refresh|csrf/.test(name)))
  const before = await cookies()
  return {
    ada,
    async expectUnharmed() {
      expect(await cookies()).toBe(before)
      await page.goto('/account/sessions')
      await expect(page.getByText('this one', { exact: true })).toBeVisible()
      await expect(page.getByText('No other device is signed in.')).toBeVisible()
      await page.goto('/account')
      await expect(page.getByRole('heading', { name: `Hello, ${ada.username}` })).toBeVisible()
      await page.getByRole('button', { name: 'Sign out' }).click()
      await expect(page).toHaveURL('/sign-in')
      await signIn(page, ada)
    },
  }
}

async function openEvil(context: BrowserContext, kind: 'crossSite' | 'sameSite'): Promise<Page> {
  const evil = await context.newPage()
  await evil.goto(site[kind])
  return evil
}
