import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Page } from '@playwright/test'
import { expect, mailedLink, register, somebody, test } from './fixtures'
import { type Server, startServer } from './server'
import { call, type Site, startSite } from './site'

const LIFETIME = 3000
const JSON_TYPE = { 'Content-Type': 'application/json' }
const read = (path: string) => readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8')

/** The guide's front end (§3.5), letter by letter, and what gives it a server and a test a handle. */
const GUIDE = `${read('../../tests/fixtures/guide_auth.js')}\nObject.assign(window, { AuthService, axios })`
const PAGE = `<!doctype html><title>A React app</title>
<script type="importmap">{ "imports": { "axios": "/axios.js" } }</script>
<script type="module" src="/app.js"></script>`

interface GuideWindow extends Window {
  AuthService: {
    login(username: string, password: string): Promise<{ success: boolean; user?: object; error?: string }>
    logout(): Promise<void>
    getAccessToken(): string | null
    getRefreshToken(): string | null
    setTokens(access: string, refresh: string): void
  }
  axios: { get(path: string): Promise<{ data: { username: string } }> }
}
declare const window: GuideWindow

let site: Site
let server: Server

test.beforeAll(async () => {
  const files = {
    '/app': { type: 'text/html', text: PAGE },
    '/app.js': { type: 'text/javascript', text: "import './server.js'\nimport './guide.js'" },
    '/guide.js': { type: 'text/javascript', text: GUIDE },
    '/axios.js': { type: 'text/javascript', text: read('../node_modules/axios/dist/esm/axios.js') },
    '/server.js': { type: 'text/javascript', text: '' },
  }
  site = await startSite(files)
  server = await startServer({
    PORTCULLIS_CORS__ALLOWED_ORIGINS: `${site.crossSite},${site.sameSite}`,
    PORTCULLIS_TOKENS__ACCESS_LIFETIME: '3s',
  })
  // The guide's paths are relative: a development server would pass them on, here the calls cross origins.
  files['/server.js'].text = `import axios from 'axios'
    const original = fetch
    window.fetch = (path, options) => original(new URL(path, '${server.url}'), options)
    axios.defaults.baseURL = '${server.url}'`
})

test.afterAll(async () => {
  await server.stop()
  await site.stop()
})

test.use({ baseURL: async ({ baseURL }, use) => use(server?.url ?? baseURL) })

test("the guide's own AuthService works in a browser from an allowed origin", async ({ page, context }) => {
  const ada = somebody()
  await page.goto(`${site.crossSite}/app`)
  await page.waitForFunction(() => 'AuthService' in window)
  const registered = {
    path: '/api/auth/register/',
    method: 'POST',
    headers: JSON_TYPE,
    body: JSON.stringify(ada),
  }
  expect(await call(page, '', registered)).toMatch(/^201 /)
  expect(await login(page, ada.username, ada.password)).toMatchObject({ success: false })
  const token = new URLSearchParams((await mailedLink(page, ada.email, '/verify-email')).split('?')[1]).get(
    'token',
  )
  const verified = { ...registered, path: '/api/auth/verify-email/', body: JSON.stringify({ token }) }
  expect(await call(page, '', verified)).toMatch(/^200 /)

  expect(await login(page, ada.username, 'wrong')).toEqual({
    success: false,
    error: 'No active account found with the given credentials',
  })
  const user = { username: ada.username, email: ada.email, first_name: '', last_name: '' }
  expect(await login(page, ada.username, ada.password)).toMatchObject({ success: true, user })
  const first = await tokens(page)
  expect(await me(page)).toBe(ada.username)
  expect(await tokens(page)).toEqual(first)

  await page.waitForTimeout(LIFETIME + 200)
  const calls: string[] = []
  context.on('request', (request) => {
    if (request.method() !== 'OPTIONS') calls.push(new URL(request.url()).pathname)
  })
  expect(await me(page)).toBe(ada.username)
  expect(calls).toEqual(['/api/auth/me/', '/api/auth/refresh/', '/api/auth/me/'])
  const second = await tokens(page)
  expect(second.access).not.toBe(first.access)
  expect(second.refresh).not.toBe(first.refresh)

  await page.evaluate(() => window.AuthService.logout())
  expect(await tokens(page)).toEqual({ access: null, refresh: null })
  const gone = page.waitForURL(`${site.crossSite}/login`)
  await page.evaluate(
    ([access, refresh]) => {
      window.AuthService.setTokens(access, refresh)
      window.axios.get('/api/auth/me/').catch(() => undefined)
    },
    [second.access ?? '', second.refresh ?? ''] as const,
  )
  await gone
})

test('an allowed origin reads answers, errors and their headers', async ({ page }) => {
  await page.goto(site.crossSite)
  const seen = await page.evaluate(async (url) => {
    const body = JSON.stringify({ username: 'nobody', password: 'wrong' })
    const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body }
    const response = await fetch(`${url}/api/auth/login/`, { ...init, credentials: 'include' })
    return [response.status, (await response.json()).code, response.headers.get('X-Request-Id')]
  }, server.url)
  expect(seen).toEqual([401, 'no_active_account', expect.stringMatching(/\w+/)])
})

test("cookie mode works from an allowed origin of the server's site", async ({ page, browser, context }) => {
  const elsewhere = await browser.newContext({ baseURL: server.url })
  const ada = await register(await elsewhere.newPage())
  await elsewhere.close()
  await page.goto(site.sameSite)
  const csrf = JSON.parse((await call(page, server.url, { path: '/api/auth/csrf/' })).slice(4)).csrftoken
  const headers = { ...JSON_TYPE, 'X-Auth-Mode': 'cookie', 'X-CSRFToken': csrf }
  const post = (path: string, body: object) =>
    call(page, server.url, { path, method: 'POST', headers, body: JSON.stringify(body) })
  const signedIn = await post('/api/auth/login/', { username: ada.username, password: ada.password })
  expect(signedIn).toMatch(/^200 .*"access"/)
  expect(signedIn).not.toContain('"refresh"')
  const before = (await context.cookies()).find(({ name }) => name === 'refresh')
  expect(before).toMatchObject({ httpOnly: true, sameSite: 'Strict' })
  expect(await post('/api/auth/refresh/', {})).toMatch(/^200 /)
  expect((await context.cookies()).find(({ name }) => name === 'refresh')?.value).not.toBe(before?.value)
  const without = { path: '/api/auth/refresh/', method: 'POST', headers: JSON_TYPE, body: '{}' }
  expect(await call(page, server.url, without)).toMatch(/^403 .*csrf_failed/)
  expect(await post('/api/auth/logout/', {})).toMatch(/^200 /)
  expect((await context.cookies()).map(({ name }) => name)).not.toContain('refresh')
})

function login(page: Page, username: string, password: string) {
  return page.evaluate(([name, secret]) => window.AuthService.login(name, secret), [
    username,
    password,
  ] as const)
}

async function me(page: Page): Promise<string> {
  return page.evaluate(async () => (await window.axios.get('/api/auth/me/')).data.username)
}

function tokens(page: Page) {
  return page.evaluate(() => ({
    access: window.AuthService.getAccessToken(),
    refresh: window.AuthService.getRefreshToken(),
  }))
}
