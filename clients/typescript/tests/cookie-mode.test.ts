import { beforeEach, expect, test, vi } from 'vitest'
import type { PortcullisClient } from '../src/types.js'
import { FakeBrowser } from './support/browser.js'
import { refusal } from './support/server.js'
import { minutes, settled } from './support/time.js'

const ADA = { username: 'ada', password: 'right' }
const [REFRESH, CSRF] = ['/api/auth/refresh/', '/api/auth/csrf/']
let browser: FakeBrowser
let client: PortcullisClient

beforeEach(async () => {
  vi.useFakeTimers({ now: new Date('2026-01-01T12:00:00Z') })
  browser = new FakeBrowser()
  client = browser.tab()
  await settled(client.login(ADA))
  await vi.advanceTimersByTimeAsync(minutes(16))
})

const call = async () => (await settled(client.fetch('/api/books/'))).status

test('a page of the server’s own origin uses the cookie without being told', () => {
  expect(browser.jar.refresh).toBeDefined()
  expect(browser.server.received[0]?.headers.get('X-Auth-Mode')).toBe('cookie')
})

test('a renewal shows the csrftoken of the cookie', async () => {
  expect(await call()).toBe(200)
  expect(browser.server.count(CSRF)).toBe(0)
})

test('a csrftoken that is missing is fetched first', async () => {
  browser.jar.csrftoken = undefined
  expect(await call()).toBe(200)
  expect(browser.server.received.map(({ path }) => path).slice(1, 3)).toEqual([CSRF, REFRESH])
})

test('a csrftoken that is refused is fetched once, and the renewal repeated once', async () => {
  browser.network.plan(REFRESH, refusal(403, 'csrf_failed'))
  expect(await call()).toBe(200)
  expect([browser.server.count(CSRF), browser.server.count(REFRESH)]).toEqual([1, 2])
})

test('a csrftoken that is refused twice is an error and no sign-out', async () => {
  browser.network.plan(REFRESH, refusal(403, 'csrf_failed'), refusal(403, 'csrf_failed'))
  expect(await call()).toBe(403)
  expect(client.getSession().status).toBe('signed-in')
  expect(await call()).toBe(200)
})

test('on another origin the csrftoken comes from the server, never from the page’s own cookie', async () => {
  browser.jar.csrftoken = 'of-the-page'
  const away = browser.tab({ baseUrl: 'https://accounts.example.com', mode: 'cookie' })
  await settled(away.fetch('/api/books/'))
  expect(browser.server.count(CSRF)).toBe(1)
  await settled(away.logout())
  expect(browser.server.count(CSRF)).toBe(1)
})

test('another origin means body mode, without cookies', async () => {
  const away = browser.tab({ baseUrl: 'https://accounts.example.com' })
  await settled(away.login(ADA))
  expect(browser.server.received.at(-1)).toMatchObject({ jar: null })
  expect(browser.server.received.at(-1)?.headers.get('X-Auth-Mode')).toBe('body')
})

test('the refresh token is in no body, no storage and no message', async () => {
  const posted: unknown[] = []
  const environment = browser.environment()
  const openChannel: typeof environment.openChannel = (name, receive) => {
    const channel = environment.openChannel(name, receive)
    return { post: (message) => posted.push(message), close: () => channel?.close() }
  }
  const tab = browser.tab({}, { openChannel })
  await settled(tab.login(ADA))
  const secret = browser.jar.refresh ?? 'missing'
  expect(JSON.stringify([posted, [...browser.stored], browser.server.received[0]?.body])).not.toContain(
    secret,
  )
  expect(posted).toHaveLength(1)
})

test('the access token is in no storage', async () => {
  await call()
  const token = browser.server.received.at(-1)?.headers.get('Authorization')?.slice(7)
  expect(token).toBeTruthy()
  expect(JSON.stringify([...browser.stored])).not.toContain(token)
})
