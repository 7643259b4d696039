import axios from 'axios'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { PortcullisClient } from '../src/types.js'
import { FakeBrowser } from './support/browser.js'
import { refusal } from './support/server.js'
import { failure, gate, minutes, settled } from './support/time.js'

const REFRESH = '/api/auth/refresh/'
let browser: FakeBrowser
let client: PortcullisClient

beforeEach(async () => {
  vi.useFakeTimers({ now: new Date('2026-01-01T12:00:00Z') })
  browser = new FakeBrowser()
  client = browser.tab({ apiOrigins: ['https://api.example.com/v1'] })
  await settled(client.login({ username: 'ada', password: 'right' }))
})

const last = () => browser.server.received.at(-1)
const carriesToken = () => last()?.headers.has('Authorization')

describe('who is given the token', () => {
  test('the server, the page’s origin and named origins are', async () => {
    const own = [
      '/api/books/',
      'https://example.com/api/',
      'https://EXAMPLE.com?x',
      'https://api.example.com/x',
    ]
    for (const address of [
      ...own,
      new URL('https://example.com/api/'),
      new Request('https://example.com/api/'),
    ]) {
      await settled(client.fetch(address))
      expect(carriesToken(), String(address)).toBe(true)
    }
  })

  test('nobody else is', async () => {
    const foreign = [
      'https://evil.example.net/',
      'https://example.com.evil.net/',
      'https://example.com@evil.net/',
      'https://evil.net\\@example.com/',
      'http://example.com/',
      'https://example.com:8443/',
      'https://exa\tmple.com.evil.net/',
    ]
    for (const address of foreign) {
      await settled(client.fetch(address).catch(() => undefined))
      expect(carriesToken(), address).toBe(false)
    }
  })

  test('a path with two slashes stays at the server', async () => {
    await settled(client.fetch('//evil.example.net/x'))
    expect(last()?.path).toBe('//evil.example.net/x')
  })

  test('credentials of the caller are left as they are', async () => {
    await settled(client.fetch('/api/books/', { headers: { Authorization: 'Basic YTpi' } }))
    expect(last()?.headers.get('Authorization')).toBe('Basic YTpi')
    expect(browser.server.count(REFRESH)).toBe(0)
  })
})

describe('what is repeated after a 401', () => {
  const refused = refusal(401, 'token_not_valid')
  const post = { method: 'POST', body: '{"title":"Emma"}' }

  test('a body is sent again, once', async () => {
    browser.network.plan('/api/books/', refused)
    expect(await settled(client.request('POST', '/api/books/', { title: 'Emma' }))).toMatchObject({
      title: 'Emma',
    })
    expect(browser.server.count('/api/books/')).toBe(2)
  })

  test('a Request with its body and headers is sent again', async () => {
    browser.network.plan('/api/books/', refused)
    const headers = { 'X-Kind': 'novel' }
    await settled(client.fetch(new Request('https://example.com/api/books/', { ...post, headers })))
    expect(last()).toMatchObject({ method: 'POST', body: { title: 'Emma' } })
    expect(last()?.headers.get('X-Kind')).toBe('novel')
  })

  test('a second 401 is the caller’s answer', async () => {
    browser.network.plan('/api/books/', refused, refused)
    expect((await settled(client.fetch('/api/books/'))).status).toBe(401)
    expect([browser.server.count('/api/books/'), browser.server.count(REFRESH)]).toEqual([2, 1])
    expect(client.getSession().status).toBe('signed-in')
  })

  test('a stream, which cannot be read twice, is not sent again', async () => {
    browser.network.plan('/api/books/', refused)
    const body = new Blob([post.body]).stream()
    const init = { method: 'POST', body, duplex: 'half' } as RequestInit
    expect((await settled(client.fetch('/api/books/', init))).status).toBe(401)
    expect(browser.server.count('/api/books/')).toBe(1)
  })

  test('without network for the renewal the call rejects instead of showing a 401', async () => {
    browser.network.plan('/api/books/', refused)
    browser.network.plan(REFRESH, 'offline', 'offline', 'offline', 'offline', 'offline')
    expect((await failure(client.fetch('/api/books/'))).name).toBe('NetworkError')
  })
})

describe('how a call ends', () => {
  test('every status resolves', async () => {
    for (const status of [204, 400, 403, 404, 429, 500]) {
      browser.network.plan('/api/books/', { status })
      expect((await settled(client.fetch('/api/books/'))).status).toBe(status)
    }
  })

  test('no network is a NetworkError with its cause', async () => {
    browser.network.isOnline = false
    const error = await failure(client.fetch('/api/books/'))
    expect(error.name).toBe('NetworkError')
    expect(error.cause).toBeInstanceOf(TypeError)
  })

  test('the caller’s abort stays the caller’s abort', async () => {
    const controller = new AbortController()
    browser.network.plan('/api/books/', 'silent')
    const call = client.fetch('/api/books/', { signal: controller.signal })
    await vi.advanceTimersByTimeAsync(100)
    controller.abort()
    expect((await failure(call)).name).toBe('AbortError')
  })

  test('an abort with a reason of its own rejects with that reason', async () => {
    const fails: typeof fetch = (_, init) => Promise.reject(init?.signal?.reason)
    const tab = browser.tab({}, { fetch: fails })
    const signal = AbortSignal.abort(new Error('left the page'))
    expect((await failure(tab.fetch('/api/books/', { signal }))).message).toBe('left the page')
  })

  test('a caller who leaves during a renewal leaves it to the others', async () => {
    await vi.advanceTimersByTimeAsync(minutes(16))
    const held = gate()
    browser.network.plan(REFRESH, { hold: 'after', until: held.until })
    const controller = new AbortController()
    const [left, stayed] = [
      client.fetch('/api/books/', { signal: controller.signal }),
      client.fetch('/api/books/'),
    ]
    await vi.advanceTimersByTimeAsync(50)
    controller.abort()
    expect((await failure(left)).name).toBe('AbortError')
    held.open()
    expect((await settled(stayed)).status).toBe(200)
    expect(browser.server.count(REFRESH)).toBe(1)
  })

  test('methods may be passed around without the client', async () => {
    const { fetch, getSession } = client
    expect((await settled(fetch('/api/books/'))).status).toBe(200)
    expect(getSession().status).toBe('signed-in')
  })
})

test('axios on top of client.fetch sends the token, and its calls are repeated after a 401', async () => {
  const api = axios.create({
    baseURL: 'https://example.com/api',
    adapter: 'fetch',
    env: { fetch: client.fetch },
  })
  browser.network.plan('/api/books/', refusal(401, 'token_not_valid'))
  const { data } = await settled(api.post('/books/', { title: 'Emma' }))
  expect(data).toEqual({ caller: 'ada', title: 'Emma' })
  browser.network.plan('/api/books/', refusal(404, 'not_found'))
  expect(await failure(api.get('/books/'))).toMatchObject({ response: { status: 404 } })
})

test('request gives undefined for 204 and an ApiError for a refusal', async () => {
  browser.network.plan('/api/books/1/', { status: 204 }, refusal(404, 'not_found'))
  expect(await settled(client.request('DELETE', '/api/books/1/'))).toBeUndefined()
  expect(await failure(client.request('DELETE', '/api/books/1/'))).toMatchObject({
    status: 404,
    code: 'not_found',
  })
})
