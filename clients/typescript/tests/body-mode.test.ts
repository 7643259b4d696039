import { beforeEach, expect, test, vi } from 'vitest'
import { createClientIn } from '../src/client.js'
import type { TokenStorage } from '../src/types.js'
import { FakeBrowser } from './support/browser.js'
import { failure, gate, minutes, settled } from './support/time.js'
import { claims } from './support/tokens.js'

const ADA = { username: 'ada', password: 'right' }
const BOB = { username: 'bob', password: 'right' }
const REFRESH = '/api/auth/refresh/'
const SIGNED_OUT = { status: 'signed-out', reason: 'signed-out' }
let browser: FakeBrowser
let kept: { token: string | null }
let storage: TokenStorage

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-01-01T12:00:00Z') })
  browser = new FakeBrowser()
  kept = { token: null }
  storage = {
    get: async () => kept.token,
    set: async (token) => {
      kept.token = token
    },
  }
})

const later = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds)
const open = (more: { storage?: TokenStorage } = { storage }) => browser.tab({ mode: 'body', ...more })
const generation = () => (kept.token ? claims<{ generation: number }>(kept.token).generation : null)

test('every renewal replaces the refresh token', async () => {
  const client = open()
  await settled(client.login(ADA))
  for (const expected of [1, 2]) {
    await later(minutes(16))
    expect((await settled(client.fetch('/api/books/'))).status).toBe(200)
    expect(generation()).toBe(expected)
  }
  expect(browser.jar.refresh).toBeUndefined()
})

test('an app that starts again finds its session in the storage', async () => {
  await settled(open().login(ADA))
  expect(await settled(open().restore())).toMatchObject({ status: 'signed-in', user: { username: 'ada' } })
})

test('an app that starts without a token asks nothing', async () => {
  expect(await settled(open().restore())).toEqual({ status: 'signed-out', reason: 'never' })
  expect(browser.server.received).toEqual([])
})

test('without a storage a reload forgets the session', async () => {
  await settled(open({}).login(ADA))
  expect(await settled(open({}).restore())).toEqual({ status: 'signed-out', reason: 'never' })
})

test('a sign-out deletes the token and ends its session', async () => {
  const client = open()
  await settled(client.login(ADA))
  await settled(client.logout())
  expect(kept.token).toBeNull()
  expect(browser.server.sessions.get('1')?.isEnded).toBe(true)
})

test('a sign-out while a renewal is under way leaves no token behind', async () => {
  const client = open()
  await settled(client.login(ADA))
  await later(minutes(16))
  const held = gate()
  browser.network.plan(REFRESH, { hold: 'after', until: held.until })
  const call = client.fetch('/api/books/')
  await later(50)
  const logout = client.logout()
  await later(50)
  held.open()
  await settled(Promise.all([call, logout]))
  expect(kept.token).toBeNull()
  expect(client.getSession()).toEqual(SIGNED_OUT)
  expect(browser.server.sessions.get('1')?.isEnded).toBe(true)
})

test('a sign-out while a renewal reads the storage leaves no token behind', async () => {
  const client = open()
  await settled(client.login(ADA))
  await later(minutes(16))
  storage.get = async () => {
    const { token } = kept
    await new Promise((resolve) => setTimeout(resolve, 30))
    return token
  }
  const call = client.fetch('/api/books/')
  // Within the second reading: 30 to read, 40 on the way.
  await later(80)
  await settled(Promise.all([call, client.logout()]))
  expect(kept.token).toBeNull()
})

test('a sign-in elsewhere does not undo a sign-out here that is younger', async () => {
  const [one, other] = [open(), open()]
  await settled(other.restore())
  await settled(one.login(ADA))
  await later(50)
  storage.get = async () => {
    const { token } = kept
    await new Promise((resolve) => setTimeout(resolve, 30))
    return token
  }
  await settled(one.login(BOB))
  await later(10)
  void other.logout()
  await later(1000)
  expect(other.getSession()).toEqual(SIGNED_OUT)
})

test('whoever signs out while the login is under way leaves no session behind', async () => {
  const client = open()
  await settled(Promise.all([client.login(ADA), client.logout()]))
  expect(client.getSession()).toEqual(SIGNED_OUT)
  expect(kept.token).toBeNull()
  expect(browser.server.sessions.get('1')?.isEnded).toBe(true)
})

test('tabs without messages see a sign-out in the storage', async () => {
  browser.hasChannels = false
  browser.hasLocks = false
  const [one, other] = [open(), open()]
  await settled(one.login(ADA))
  await settled(other.restore())
  await later(minutes(16))
  const held = gate()
  browser.network.plan(REFRESH, { hold: 'after', until: held.until })
  const call = other.fetch('/api/books/')
  await later(50)
  await settled(one.logout())
  held.open()
  await settled(call)
  expect(other.getSession().status).toBe('signed-out')
  expect(kept.token).toBeNull()
})

test('tabs that share a storage share a session', async () => {
  const [one, other] = [open(), open()]
  await settled(one.login(ADA))
  await later(50)
  expect(other.getSession()).toMatchObject({ user: { username: 'ada' } })
  await later(minutes(16))
  await settled(Promise.all([one.fetch('/api/books/'), other.fetch('/api/books/')]))
  expect(browser.server.count(REFRESH)).toBe(1)
  await settled(other.logout())
  await later(50)
  expect(one.getSession()).toEqual(SIGNED_OUT)
})

test('tabs with storages of their own keep their own users', async () => {
  const [one, other] = [open({}), open({})]
  await settled(one.login(ADA))
  await settled(other.login(BOB))
  await later(50)
  expect([one.getSession(), other.getSession()]).toMatchObject([
    { user: { username: 'ada' } },
    { user: { username: 'bob' } },
  ])
  await settled(other.logout())
  await later(50)
  expect(one.getSession()).toMatchObject({ user: { username: 'ada' } })
})

test('a user who signs out in one tab is signed out in a tab that has a session of its own', async () => {
  const [one, other] = [open({}), open({})]
  await settled(one.login(ADA))
  await settled(other.login(ADA))
  await settled(other.logout())
  await later(1000)
  expect(one.getSession()).toEqual(SIGNED_OUT)
  expect([...browser.server.sessions.values()].map(({ isEnded }) => isEnded)).toEqual([true, true])
})

test('a sign-out does not end the page load of a tab with a session of its own', async () => {
  const [one, first] = [open({}), open()]
  await settled(one.login(BOB))
  await settled(first.login(ADA))
  first.close()
  const loading = open()
  const restored = loading.restore()
  await settled(one.logout())
  expect(await settled(restored)).toMatchObject({ user: { username: 'ada' } })
})

test('a token that cannot be kept is used until the app ends', async () => {
  const client = open()
  await settled(client.login(ADA))
  storage.set = () => Promise.reject(new Error('the key store is locked'))
  for (const _ of [1, 2, 3]) {
    await later(minutes(16))
    expect((await settled(client.fetch('/api/books/'))).status).toBe(200)
  }
})

test('a storage that cannot be read fails the call and signs nobody out', async () => {
  const client = open()
  await settled(client.login(ADA))
  await later(minutes(16))
  storage.get = () => Promise.reject(new Error('the key store is locked'))
  expect((await failure(client.fetch('/api/books/'))).message).toBe('the key store is locked')
  expect(client.getSession().status).toBe('signed-in')
})

test('outside a page a client needs to be told where the server is', async () => {
  const client = createClientIn({ ...browser.environment(), pageOrigin: null }, {})
  expect((await failure(client.login(ADA))).message).toMatch(/baseUrl/)
})

test('an expired session leaves no token behind', async () => {
  const client = open()
  await settled(client.login(ADA))
  for (const session of browser.server.sessions.values()) session.isEnded = true
  await settled(client.fetch('/api/books/'))
  expect(client.getSession()).toEqual({ status: 'signed-out', reason: 'expired' })
  expect(kept.token).toBeNull()
})
