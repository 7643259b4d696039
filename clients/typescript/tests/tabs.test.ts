import { beforeEach, describe, expect, test, vi } from 'vitest'
import { FakeBrowser } from './support/browser.js'
import { refusal } from './support/server.js'
import { gate, minutes, settled } from './support/time.js'

const ADA = { username: 'ada', password: 'right' }
const BOB = { username: 'bob', password: 'right' }
const REFRESH = '/api/auth/refresh/'
const SIGNED_OUT = { status: 'signed-out', reason: 'signed-out' }
let browser: FakeBrowser

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-01-01T12:00:00Z') })
  browser = new FakeBrowser()
})

const refreshes = () => browser.server.count(REFRESH)
const later = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds)
const userOf = (client: ReturnType<FakeBrowser['tab']>) => {
  const state = client.getSession()
  return state.status === 'signed-in' ? state.user.username : state.status
}

describe('one session for all tabs', () => {
  test('a sign-in reaches the tab that waits at the login form', async () => {
    const [one, other] = [browser.tab(), browser.tab()]
    await settled(other.restore())
    await settled(one.login(ADA))
    await later(50)
    expect(userOf(other)).toBe('ada')
    expect((await settled(other.fetch('/api/books/'))).status).toBe(200)
    expect(refreshes()).toBe(0)
  })

  test('a sign-out reaches every tab at once, even one that is offline from the server', async () => {
    const [one, other] = [browser.tab(), browser.tab()]
    await settled(one.login(ADA))
    await later(50)
    browser.network.plan('/api/auth/logout/', 'silent')
    void one.logout().catch(() => undefined)
    await later(50)
    expect(one.getSession()).toEqual(SIGNED_OUT)
    expect(other.getSession()).toEqual(SIGNED_OUT)
  })

  test('an expired session ends in every tab', async () => {
    const [one, other] = [browser.tab(), browser.tab()]
    await settled(one.login(ADA))
    for (const session of browser.server.sessions.values()) session.isEnded = true
    await settled(one.fetch('/api/books/'))
    await later(50)
    expect(other.getSession()).toEqual({ status: 'signed-out', reason: 'expired' })
  })

  test('signing out everywhere ends every tab', async () => {
    const [one, other] = [browser.tab(), browser.tab()]
    await settled(one.login(ADA))
    await settled(one.logoutAll())
    await later(50)
    expect([one.getSession(), other.getSession()]).toEqual([SIGNED_OUT, SIGNED_OUT])
  })

  test('another user who signs in takes over every tab', async () => {
    const [one, other] = [browser.tab(), browser.tab()]
    await settled(one.login(ADA))
    await settled(other.login(BOB))
    await later(50)
    expect([userOf(one), userOf(other)]).toEqual(['bob', 'bob'])
    const answer = await settled(one.request<{ caller: string }>('GET', '/api/books/'))
    expect(answer.caller).toBe('bob')
  })

  test('a tab of another server or mode hears nothing', async () => {
    const [one, other] = [browser.tab(), browser.tab({ baseUrl: 'https://other.example.com' })]
    await settled(one.login(ADA))
    await later(50)
    expect(other.getSession()).toEqual({ status: 'unknown' })
  })
})

describe('one renewal for all tabs', () => {
  test('twenty tabs whose token expired renew once', async () => {
    const tabs = Array.from({ length: 20 }, () => browser.tab())
    await settled(tabs[0]?.login(ADA) ?? Promise.reject(new Error('no tab')))
    await later(minutes(16))
    const answers = await settled(Promise.all(tabs.map((tab) => tab.fetch('/api/books/'))))
    expect(answers.map(({ status }) => status)).toEqual(tabs.map(() => 200))
    expect(refreshes()).toBe(1)
  })

  test('twenty tabs that a browser reopens renew once and ask once who it is', async () => {
    await settled(browser.tab().login(ADA))
    const tabs = Array.from({ length: 20 }, () => browser.tab())
    await settled(Promise.all(tabs.map((tab) => tab.restore())))
    expect(tabs.map(userOf)).toEqual(tabs.map(() => 'ada'))
    expect([refreshes(), browser.server.count('/api/auth/me/')]).toEqual([1, 1])
  })

  test('a tab that is closed while it holds the lock holds nobody up', async () => {
    const [closed, other] = [browser.tab(), browser.tab()]
    await settled(closed.login(ADA))
    await later(minutes(16))
    browser.network.plan(REFRESH, 'silent')
    void closed.fetch('/api/books/').catch(() => undefined)
    await later(100)
    const call = other.fetch('/api/books/')
    await later(100)
    browser.releaseLocks()
    const start = Date.now()
    expect((await settled(call)).status).toBe(200)
    expect(Date.now() - start).toBeLessThan(1000)
  })

  test('a tab that holds the lock and is frozen is not waited for without end', async () => {
    const tab = browser.tab()
    await settled(tab.login(ADA))
    await later(minutes(16))
    void browser
      .environment()
      .locks?.request('portcullis:cookie:https://example.com', {}, () => new Promise(() => undefined))
    expect((await settled(tab.fetch('/api/books/'), 30_000)).status).toBe(200)
  })

  test('a token that arrives while the lock is waited for is used', async () => {
    const [one, other] = [browser.tab(), browser.tab()]
    await settled(one.login(ADA))
    await later(minutes(16))
    const [first, second] = [one.fetch('/api/books/'), other.fetch('/api/books/')]
    expect((await settled(first)).status).toBe(200)
    expect((await settled(second)).status).toBe(200)
    expect(refreshes()).toBe(1)
  })

  test('when the renewal of one tab is refused for a while the others stay signed in', async () => {
    const [one, other] = [browser.tab(), browser.tab()]
    await settled(one.login(ADA))
    await later(minutes(16))
    browser.network.plan(REFRESH, refusal(429, 'throttled', { 'Retry-After': '60' }))
    expect((await settled(one.fetch('/api/books/'))).status).toBe(429)
    expect([userOf(one), userOf(other)]).toEqual(['ada', 'ada'])
  })
})

describe('one user at a time', () => {
  test('a call begun by one user is not repeated as another', async () => {
    const [one, other] = [browser.tab(), browser.tab()]
    await settled(one.login(ADA))
    const answered = gate()
    const answer = refusal(401, 'token_not_valid')
    browser.network.plan('/api/books/', { hold: 'after', until: answered.until, answer })
    const call = one.fetch('/api/books/', { method: 'DELETE' })
    await later(50)
    await settled(other.login(BOB))
    await later(50)
    answered.open()
    expect((await settled(call)).status).toBe(401)
    expect(browser.server.count('/api/books/')).toBe(1)
  })

  test('a login waits for a renewal, so that its cookie is the last', async () => {
    const [one, other] = [browser.tab(), browser.tab()]
    await settled(one.login(ADA))
    await later(minutes(16))
    const answered = gate()
    browser.network.plan(REFRESH, { hold: 'after', until: answered.until })
    const call = one.fetch('/api/books/')
    await later(50)
    const login = other.login(BOB)
    await later(50)
    expect(browser.server.count('/api/auth/login/')).toBe(1)
    answered.open()
    await settled(Promise.all([call, login]))
    await later(minutes(16))
    const answer = await settled(one.request<{ caller: string }>('GET', '/api/books/'))
    expect(answer.caller).toBe('bob')
  })
})

test('without locks, too, a login waits for the renewal of its own tab', async () => {
  browser.hasLocks = false
  const tab = browser.tab()
  await settled(tab.login(ADA))
  await later(minutes(16))
  const held = gate()
  browser.network.plan(REFRESH, { hold: 'after', until: held.until })
  const call = tab.fetch('/api/books/')
  await later(50)
  const login = tab.login(BOB)
  await later(100)
  held.open()
  await settled(Promise.all([call, login]))
  await later(minutes(16))
  expect((await settled(tab.request<{ caller: string }>('GET', '/api/books/'))).caller).toBe('bob')
})

test('a page that was put aside and is shown again asks whether it is still signed in', async () => {
  let show = () => undefined as unknown
  const onReturn = (listener: () => void) => {
    show = listener
    return () => undefined
  }
  browser.hasChannels = false
  const aside = browser.tab({}, { onReturn })
  const other = browser.tab()
  await settled(aside.login(ADA))
  await settled(other.restore())
  await settled(other.logout())
  show()
  await later(1000)
  expect(aside.getSession().status).toBe('signed-out')
})

test('a closed client hears nothing', async () => {
  const [one, other] = [browser.tab(), browser.tab()]
  other.close()
  await settled(one.login(ADA))
  await later(50)
  expect(other.getSession()).toEqual({ status: 'unknown' })
})

test('a closed client still signs out', async () => {
  const tab = browser.tab()
  await settled(tab.login(ADA))
  tab.close()
  await settled(tab.logout())
  expect(tab.getSession()).toEqual(SIGNED_OUT)
  expect(browser.server.sessions.get('1')?.isEnded).toBe(true)
})
