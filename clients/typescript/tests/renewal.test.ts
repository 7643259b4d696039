import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { PortcullisClient } from '../src/types.js'
import { FakeBrowser } from './support/browser.js'
import { refusal } from './support/server.js'
import { failure, gate, minutes, settled } from './support/time.js'

const ADA = { username: 'ada', password: 'right' }
const REFRESH = '/api/auth/refresh/'
let browser: FakeBrowser
let client: PortcullisClient

beforeEach(async () => {
  vi.useFakeTimers({ now: new Date('2026-01-01T12:00:00Z') })
  browser = new FakeBrowser()
  client = browser.tab()
  await settled(client.login(ADA))
})

const call = (path = '/api/books/', init?: RequestInit) => settled(client.fetch(path, init))
const refreshes = () => browser.server.count(REFRESH)
const later = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds)

describe('when the token is renewed', () => {
  test('a token is used without asking while it is fresh', async () => {
    await later(minutes(14))
    expect((await call()).status).toBe(200)
    expect(refreshes()).toBe(0)
  })

  test('a token that is about to expire is renewed beside the call that found it so', async () => {
    await later(minutes(15) - 25_000)
    expect((await call()).status).toBe(200)
    await later(1000)
    expect(refreshes()).toBe(1)
    expect(browser.server.count('/api/books/')).toBe(1)
  })

  test('a token that has seconds left is renewed before the call', async () => {
    await later(minutes(15) - 5_000)
    expect((await call()).status).toBe(200)
    expect(browser.server.received.map(({ path }) => path).slice(-2)).toEqual([REFRESH, '/api/books/'])
  })

  test('an expired token is renewed before the call, which is made once', async () => {
    await later(minutes(16))
    expect((await call()).status).toBe(200)
    expect([refreshes(), browser.server.count('/api/books/')]).toEqual([1, 1])
  })

  test('a hundred calls at once share one renewal', async () => {
    await later(minutes(16))
    const answers = await settled(Promise.all(Array.from({ length: 100 }, () => client.fetch('/api/books/'))))
    expect(answers.every(({ status }) => status === 200)).toBe(true)
    expect(refreshes()).toBe(1)
  })

  test('calls whose 401s arrive after another call renewed do not renew again', async () => {
    const slow = gate()
    const answer = refusal(401, 'token_not_valid')
    browser.network.plan('/api/slow/', { hold: 'after', until: slow.until, answer })
    browser.network.plan('/api/books/', refusal(401, 'token_not_valid'))
    const held = client.fetch('/api/slow/')
    await later(100)
    expect((await call()).status).toBe(200)
    slow.open()
    expect((await settled(held)).status).toBe(200)
    expect(refreshes()).toBe(1)
  })
})

describe('clocks', () => {
  test('a server whose clock is an hour ahead or behind makes no difference', async () => {
    for (const skew of [minutes(60), -minutes(60)]) {
      browser.server.skew = skew
      await settled(client.login(ADA))
      await later(minutes(14))
      expect((await call()).status).toBe(200)
    }
    expect(refreshes()).toBe(0)
  })

  test('a laptop that slept for a night renews once and goes on', async () => {
    vi.setSystemTime(Date.now() + minutes(8 * 60))
    expect((await call()).status).toBe(200)
    expect(refreshes()).toBe(1)
  })

  test('a clock that is set back an hour costs one renewal', async () => {
    vi.setSystemTime(Date.now() - minutes(60))
    expect((await call()).status).toBe(200)
    expect((await call()).status).toBe(200)
    expect(refreshes()).toBe(1)
  })

  test('a clock that is set back and hides the expiry is mended by the 401', async () => {
    await later(minutes(20))
    const sent = browser.server.received.length
    vi.setSystemTime(Date.now() - minutes(15))
    browser.server.skew = minutes(15)
    expect((await call()).status).toBe(200)
    expect(browser.server.received.slice(sent).map(({ path }) => path)).toEqual([
      '/api/books/',
      REFRESH,
      '/api/books/',
    ])
  })
})

describe('lost answers', () => {
  test('a renewal whose answer was lost is asked for again within the grace', async () => {
    await later(minutes(16))
    browser.network.plan(REFRESH, 'lost')
    const start = Date.now()
    expect((await call()).status).toBe(200)
    expect(Date.now() - start).toBeLessThan(10_000)
    expect(refreshes()).toBe(2)
    expect(client.getSession().status).toBe('signed-in')
  })

  test('a renewal that hangs is given up and asked for again within the grace', async () => {
    await later(minutes(16))
    browser.network.plan(REFRESH, 'silent')
    const start = Date.now()
    expect((await call()).status).toBe(200)
    expect(Date.now() - start).toBeLessThan(10_000)
  })

  test('a gateway that lost the answer of the server is asked again', async () => {
    await later(minutes(16))
    browser.network.plan(REFRESH, refusal(504, ''), refusal(502, ''))
    expect((await call()).status).toBe(200)
  })

  test('the page of a hotel’s sign-in is not taken for the server’s word', async () => {
    await later(minutes(16))
    browser.network.plan(REFRESH, ...Array.from({ length: 5 }, () => ({ html: '<h1>Welcome</h1>' })))
    const error = await failure(client.fetch('/api/books/'))
    expect(error.name).toBe('NetworkError')
    expect(client.getSession().status).toBe('signed-in')
  })
})

describe('failures that pass', () => {
  test('no network signs nobody out, and the next call finds the session again', async () => {
    await later(minutes(16))
    browser.network.isOnline = false
    expect((await failure(client.fetch('/api/books/'))).name).toBe('NetworkError')
    expect(client.getSession().status).toBe('signed-in')
    browser.network.isOnline = true
    expect((await call()).status).toBe(200)
  })

  test('a call made while offline fails at once instead of trying for seconds', async () => {
    await later(minutes(16))
    browser.network.isOnline = false
    const start = Date.now()
    await failure(client.fetch('/api/books/'))
    expect(Date.now() - start).toBeLessThan(200)
  })

  test('a server that asks for a second is given one', async () => {
    await later(minutes(16))
    browser.network.plan(REFRESH, refusal(503, 'busy', { 'Retry-After': '1' }))
    const start = Date.now()
    expect((await call()).status).toBe(200)
    expect(Date.now() - start).toBeGreaterThanOrEqual(1000)
  })

  test('a call gets the 429 of the renewal, and Retry-After is honoured until it is over', async () => {
    await later(minutes(16))
    browser.network.plan(REFRESH, refusal(429, 'throttled', { 'Retry-After': '60' }))
    const refused = await call()
    expect([refused.status, refused.headers.get('Retry-After')]).toEqual([429, '60'])
    await later(20_000)
    const again = await call()
    expect([again.status, again.headers.get('Retry-After')]).toEqual([429, '40'])
    expect(refreshes()).toBe(1)
    expect(client.getSession().status).toBe('signed-in')
    await later(41_000)
    expect((await call()).status).toBe(200)
  })

  test('a clock that is set back does not prolong a Retry-After', async () => {
    await later(minutes(16))
    browser.network.plan(REFRESH, refusal(429, 'throttled', { 'Retry-After': '60' }))
    expect((await call()).status).toBe(429)
    vi.setSystemTime(Date.now() - minutes(60))
    expect((await call()).status).toBe(200)
  })

  test('an outage of five seconds is bridged within the grace', async () => {
    await later(minutes(16))
    browser.network.plan(REFRESH, 'lost', 'offline', 'offline')
    const start = Date.now()
    expect((await call()).status).toBe(200)
    expect(Date.now() - start).toBeLessThan(5000)
    expect(refreshes()).toBe(2)
  })

  test('request rejects with the 503 of a renewal', async () => {
    await later(minutes(16))
    browser.network.plan(REFRESH, refusal(503, 'unavailable', { 'Retry-After': '30' }))
    const error = await failure(client.request('GET', '/api/books/'))
    expect(error).toMatchObject({ name: 'ApiError', status: 503, code: 'unavailable', retryAfter: 30 })
  })

  test('a renewal that fails while the old token works holds nothing up', async () => {
    await later(minutes(15) - 25_000)
    browser.network.plan(REFRESH, refusal(429, 'throttled', { 'Retry-After': '60' }))
    expect((await call()).status).toBe(200)
  })

  test('a defect of the server signs nobody out', async () => {
    await later(minutes(16))
    browser.network.plan(REFRESH, ...Array.from({ length: 5 }, () => refusal(500, 'internal')))
    expect((await call()).status).toBe(500)
    expect(client.getSession().status).toBe('signed-in')
  })
})

describe('the end of a session', () => {
  test('a renewal refused with 401 signs out as expired, and the call gets its own 401', async () => {
    await later(minutes(16))
    for (const session of browser.server.sessions.values()) session.isEnded = true
    expect((await call()).status).toBe(401)
    expect(client.getSession()).toEqual({ status: 'signed-out', reason: 'expired' })
  })

  test('a session ended elsewhere is noticed by the next call', async () => {
    for (const session of browser.server.sessions.values()) session.isEnded = true
    expect((await call()).status).toBe(401)
    expect(client.getSession()).toEqual({ status: 'signed-out', reason: 'expired' })
    expect(refreshes()).toBe(1)
  })

  test('calls after the end go out without a token and without a renewal', async () => {
    for (const session of browser.server.sessions.values()) session.isEnded = true
    await call()
    await call()
    expect(refreshes()).toBe(1)
    expect(browser.server.received.at(-1)?.headers.has('Authorization')).toBe(false)
  })

  test('a cookie that has vanished is an expired session', async () => {
    await later(minutes(16))
    browser.jar.refresh = undefined
    await call()
    expect(client.getSession()).toEqual({ status: 'signed-out', reason: 'expired' })
  })
})
