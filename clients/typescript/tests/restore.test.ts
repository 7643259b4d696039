import { beforeEach, expect, test, vi } from 'vitest'
import { FakeBrowser } from './support/browser.js'
import { refusal } from './support/server.js'
import { failure, gate, minutes, settled } from './support/time.js'

const ADA = { username: 'ada', password: 'right' }
const [REFRESH, ME] = ['/api/auth/refresh/', '/api/auth/me/']
let browser: FakeBrowser

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-01-01T12:00:00Z') })
  browser = new FakeBrowser()
})

test('a page load finds the session and its user', async () => {
  await settled(browser.tab().login(ADA))
  const reloaded = browser.tab()
  expect(reloaded.getSession()).toEqual({ status: 'unknown' })
  const state = await settled(reloaded.restore())
  expect(state).toMatchObject({ status: 'signed-in', user: { username: 'ada', first_name: 'Ada' } })
  expect(state).toBe(reloaded.getSession())
})

test('a browser in which nobody ever signed in asks nothing', async () => {
  expect(await settled(browser.tab().restore())).toEqual({ status: 'signed-out', reason: 'never' })
  expect(browser.server.received).toEqual([])
})

test('a csrftoken betrays a session that was begun without this client', async () => {
  await settled(browser.tab().login(ADA))
  browser.stored.clear()
  expect((await settled(browser.tab().restore())).status).toBe('signed-in')
})

test('an account that is shown late does not take the place of another user’s', async () => {
  const tab = browser.tab()
  await settled(tab.login(ADA))
  const held = gate()
  browser.network.plan(ME, { hold: 'after', until: held.until })
  const account = tab.me()
  await vi.advanceTimersByTimeAsync(50)
  await settled(tab.login({ username: 'bob', password: 'right' }))
  held.open()
  expect((await settled(account)).username).toBe('ada')
  expect(tab.getSession()).toMatchObject({ user: { username: 'bob' } })
})

test('where storage is forbidden a page load asks, and no cookie means that nobody is signed in', async () => {
  const tab = browser.tab({}, { localStorage: null })
  expect(await settled(tab.restore())).toEqual({ status: 'signed-out', reason: 'never' })
  expect(browser.server.count(REFRESH)).toBe(1)
})

test('storage that throws changes nothing', async () => {
  const refuse = () => {
    throw new DOMException('denied', 'SecurityError')
  }
  const tab = browser.tab({}, { localStorage: { getItem: refuse, setItem: refuse, removeItem: refuse } })
  await settled(tab.login(ADA))
  await settled(tab.logout())
  expect(tab.getSession()).toEqual({ status: 'signed-out', reason: 'signed-out' })
})

test('a session that ended while the page was closed is expired', async () => {
  await settled(browser.tab().login(ADA))
  for (const session of browser.server.sessions.values()) session.isEnded = true
  expect(await settled(browser.tab().restore())).toEqual({ status: 'signed-out', reason: 'expired' })
})

test('without network the state stays unknown, and trying again later finds the session', async () => {
  await settled(browser.tab().login(ADA))
  const tab = browser.tab()
  browser.network.isOnline = false
  expect((await failure(tab.restore())).name).toBe('NetworkError')
  expect(tab.getSession()).toEqual({ status: 'unknown' })
  browser.network.isOnline = true
  expect((await settled(tab.restore())).status).toBe('signed-in')
})

test('a server that is busy leaves the state unknown', async () => {
  await settled(browser.tab().login(ADA))
  const tab = browser.tab()
  browser.network.plan(REFRESH, refusal(503, 'unavailable', { 'Retry-After': '10' }))
  expect(await failure(tab.restore())).toMatchObject({ status: 503, retryAfter: 10 })
  expect(tab.getSession()).toEqual({ status: 'unknown' })
})

test('when only the question who it is got lost, the next try asks only that', async () => {
  await settled(browser.tab().login(ADA))
  const tab = browser.tab()
  browser.network.plan(ME, 'offline')
  await failure(tab.restore())
  expect(tab.getSession()).toEqual({ status: 'unknown' })
  expect((await settled(tab.restore())).status).toBe('signed-in')
  expect([browser.server.count(REFRESH), browser.server.count(ME)]).toEqual([1, 1])
})

test('a session that ends between the renewal and the question who it is has expired', async () => {
  await settled(browser.tab().login(ADA))
  const tab = browser.tab()
  browser.network.plan(ME, refusal(401, 'token_not_valid'))
  expect(await settled(tab.restore())).toEqual({ status: 'signed-out', reason: 'expired' })
})

test('restoring twice at once asks once, and afterwards not at all', async () => {
  await settled(browser.tab().login(ADA))
  const tab = browser.tab()
  await settled(Promise.all([tab.restore(), tab.restore()]))
  await settled(tab.restore())
  expect(browser.server.count(REFRESH)).toBe(1)
})

test('a call made during the page load waits for the session', async () => {
  await settled(browser.tab().login(ADA))
  const tab = browser.tab()
  const restored = tab.restore()
  expect((await settled(tab.fetch('/api/books/'))).status).toBe(200)
  expect(browser.server.count('/api/books/')).toBe(1)
  await settled(restored)
})

test('a call made without restore is repeated once the session is found', async () => {
  await settled(browser.tab().login(ADA))
  const tab = browser.tab()
  expect((await settled(tab.fetch('/api/books/'))).status).toBe(200)
  expect(tab.getSession().status).toBe('signed-in')
})

test('the state is the same object until it changes', async () => {
  const tab = browser.tab()
  const changes: unknown[] = []
  const stop = tab.subscribe(() => changes.push(tab.getSession()))
  const user = await settled(tab.login(ADA))
  const before = tab.getSession()
  await vi.advanceTimersByTimeAsync(minutes(16))
  await settled(tab.fetch('/api/books/'))
  await settled(tab.me())
  expect(tab.getSession()).toBe(before)
  expect(before).toEqual({ status: 'signed-in', user })
  stop()
  await settled(tab.logout())
  expect(changes).toEqual([before])
})

test('a renewed token tells of a new address and new rights', async () => {
  const tab = browser.tab()
  await settled(tab.login(ADA))
  Object.assign(browser.server.users.get('ada') ?? {}, { email: 'new@example.com' })
  await vi.advanceTimersByTimeAsync(minutes(16))
  await settled(tab.fetch('/api/books/'))
  expect(tab.getSession()).toMatchObject({ user: { email: 'new@example.com', first_name: 'Ada' } })
})
