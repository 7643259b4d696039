import { beforeEach, expect, test, vi } from 'vitest'
import type { PortcullisClient } from '../src/types.js'
import { FakeBrowser } from './support/browser.js'
import { refusal } from './support/server.js'
import { failure, gate, minutes, settled } from './support/time.js'

const ADA = { username: 'ada', password: 'right' }
const BOB = { username: 'bob', password: 'right' }
const [REFRESH, LOGOUT] = ['/api/auth/refresh/', '/api/auth/logout/']
const SIGNED_OUT = { status: 'signed-out', reason: 'signed-out' }
let browser: FakeBrowser
let client: PortcullisClient

beforeEach(async () => {
  vi.useFakeTimers({ now: new Date('2026-01-01T12:00:00Z') })
  browser = new FakeBrowser()
  client = browser.tab()
  await settled(client.login(ADA))
})

const later = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds)
const isEnded = (id = '1') => browser.server.sessions.get(id)?.isEnded

test('a sign-out ends the session here and at the server', async () => {
  await settled(client.logout())
  expect(client.getSession()).toEqual(SIGNED_OUT)
  expect(isEnded()).toBe(true)
  expect(browser.jar.refresh).toBeUndefined()
})

for (const hold of ['before', 'after'] as const) {
  test(`a renewal that ends after a logout does not bring the session back (held ${hold} the server)`, async () => {
    await later(minutes(16))
    const held = gate()
    browser.network.plan(REFRESH, { hold, until: held.until })
    const call = client.fetch('/api/books/')
    await later(50)
    const logout = client.logout()
    expect(client.getSession()).toEqual(SIGNED_OUT)
    held.open()
    await settled(logout)
    expect((await settled(call)).status).toBe(401)
    expect(client.getSession()).toEqual(SIGNED_OUT)
    expect(isEnded()).toBe(true)
    expect(browser.server.received.at(-1)?.headers.has('Authorization')).toBe(false)
  })
}

test('a renewal of another tab that ends after a logout does not bring the session back', async () => {
  const other = browser.tab()
  await settled(other.restore())
  await later(minutes(16))
  const held = gate()
  browser.network.plan(REFRESH, { hold: 'after', until: held.until })
  const call = other.fetch('/api/books/')
  await later(50)
  const logout = client.logout()
  await later(50)
  held.open()
  await settled(Promise.all([logout, call]))
  await later(100)
  expect([client.getSession(), other.getSession()]).toEqual([SIGNED_OUT, SIGNED_OUT])
  expect(isEnded()).toBe(true)
})

test('a page load that is still asking does not bring back a session that another tab ends', async () => {
  const held = gate()
  browser.network.plan(REFRESH, { hold: 'after', until: held.until })
  const loading = browser.tab()
  const restored = loading.restore()
  await later(50)
  const logout = client.logout()
  await later(50)
  held.open()
  await settled(logout)
  expect(await settled(restored)).toEqual(SIGNED_OUT)
})

test('a page load that has its token but not yet its user does not undo a logout', async () => {
  const held = gate()
  browser.network.plan('/api/auth/me/', { hold: 'after', until: held.until })
  const loading = browser.tab()
  const restored = loading.restore()
  await later(100)
  const logout = loading.logout()
  held.open()
  await settled(logout)
  expect(await settled(restored)).toEqual(SIGNED_OUT)
  expect(loading.getSession()).toEqual(SIGNED_OUT)
})

test('a renewal that is refused because of a logout does not look like an expired session', async () => {
  browser.hasLocks = false
  const [one, other] = [browser.tab(), browser.tab()]
  await settled(Promise.all([one.restore(), other.restore()]))
  await later(minutes(16))
  const held = gate()
  browser.network.plan(REFRESH, { hold: 'before', until: held.until })
  const call = one.fetch('/api/books/')
  await later(50)
  await settled(other.logout())
  held.open()
  await settled(call)
  expect(one.getSession()).toEqual(SIGNED_OUT)
})

test('a renewal that cannot get through stops trying after a logout', async () => {
  await later(minutes(16))
  browser.network.plan(REFRESH, 'offline', 'offline')
  const call = client.fetch('/api/books/').catch(() => undefined)
  await later(500)
  await settled(Promise.all([call, client.logout()]))
  await later(20_000)
  expect(browser.server.count(REFRESH)).toBe(0)
})

test('a renewal that is refused after another user signed in does not sign that user out', async () => {
  browser.hasLocks = false
  const [one, other] = [browser.tab(), browser.tab()]
  await settled(Promise.all([one.restore(), other.restore()]))
  await later(minutes(16))
  const held = gate()
  browser.network.plan(REFRESH, { hold: 'before', until: held.until })
  const call = one.fetch('/api/books/')
  await later(50)
  for (const session of browser.server.sessions.values()) session.isEnded = true
  await settled(other.login(BOB))
  await later(50)
  held.open()
  expect((await settled(call)).status).toBe(401)
  expect([one.getSession(), other.getSession()]).toMatchObject([
    { user: { username: 'bob' } },
    { user: { username: 'bob' } },
  ])
})

test('a token that another tab renewed while this one signed out is not taken', async () => {
  await settled(client.logout())
  const name = 'portcullis:cookie:https://example.com'
  const channel = browser.environment().openChannel(name, () => undefined)
  const user = { id: 1, username: 'ada' }
  channel?.post({
    type: 'renewed',
    access: 'late',
    receivedAt: Date.now(),
    user,
    sessionId: '1',
    userId: '1',
  })
  await later(50)
  expect(client.getSession()).toEqual(SIGNED_OUT)
})

test('a tab that knows nothing of the session still ends it for all', async () => {
  const unaware = browser.tab()
  await settled(unaware.logout())
  await later(50)
  expect(client.getSession()).toEqual(SIGNED_OUT)
  expect(isEnded()).toBe(true)
})

test('signing out everywhere leaves alone whoever signed in meanwhile', async () => {
  const held = gate()
  browser.network.plan('/api/auth/logout-all/', { hold: 'after', until: held.until })
  const everywhere = client.logoutAll()
  await later(50)
  await settled(client.login(BOB))
  held.open()
  await settled(everywhere)
  expect(client.getSession()).toMatchObject({ user: { username: 'bob' } })
})

test('whoever signs out while the login is under way is signed out', async () => {
  const fresh = new FakeBrowser()
  const tab = fresh.tab()
  const login = tab.login(ADA)
  const logout = tab.logout()
  await settled(Promise.all([login, logout]))
  expect(tab.getSession()).toEqual(SIGNED_OUT)
  expect(fresh.server.sessions.get('1')?.isEnded).toBe(true)
})

test('a logout whose answer is lost is sent again', async () => {
  browser.network.plan(LOGOUT, 'offline', 'lost')
  await settled(client.logout())
  expect(isEnded()).toBe(true)
})

test('a logout without network rejects, but the user is out and stays out after a reload', async () => {
  browser.network.isOnline = false
  expect((await failure(client.logout())).name).toBe('NetworkError')
  expect(client.getSession()).toEqual(SIGNED_OUT)
  browser.network.isOnline = true
  const reloaded = browser.tab()
  expect(await settled(reloaded.restore())).toEqual(SIGNED_OUT)
  await later(1000)
  expect(isEnded()).toBe(true)
  expect(browser.jar.refresh).toBeUndefined()
})

test('a reload that is still offline shows a user who left as signed out', async () => {
  browser.network.isOnline = false
  await failure(client.logout())
  const reloaded = browser.tab()
  expect(await settled(reloaded.restore())).toEqual(SIGNED_OUT)
})

test('the next login ends what a logout without network could not', async () => {
  browser.network.isOnline = false
  await failure(client.logout())
  browser.network.isOnline = true
  await settled(client.login(BOB))
  expect([isEnded('1'), isEnded('2')]).toEqual([true, false])
  const reloaded = browser.tab()
  expect(await settled(reloaded.restore())).toMatchObject({ status: 'signed-in', user: { username: 'bob' } })
})

test('a logout that the server throttles rejects with its Retry-After', async () => {
  browser.network.plan(LOGOUT, refusal(429, 'throttled', { 'Retry-After': '60' }))
  expect(await failure(client.logout())).toMatchObject({ status: 429, retryAfter: 60 })
  expect(client.getSession()).toEqual(SIGNED_OUT)
})

test('signing out without a session is no error', async () => {
  await settled(client.logout())
  await settled(client.logout())
  expect(client.getSession()).toEqual(SIGNED_OUT)
})

test('a listener that throws is reported and does not stop a sign-out', async () => {
  client.subscribe(() => {
    throw new Error('the page is broken')
  })
  const logout = client.logout()
  expect(() => vi.advanceTimersByTime(1)).toThrow('the page is broken')
  await settled(logout)
  expect(isEnded()).toBe(true)
})
