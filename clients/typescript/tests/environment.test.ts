import { expect, test, vi } from 'vitest'
import { detectEnvironment } from '../src/environment.js'
import { createClient } from '../src/index.js'

/** The globals of a page, as far as they are read. */
function stubPage(more: Record<string, unknown> = {}): EventTarget {
  const page = new EventTarget()
  const globals = {
    document: { cookie: 'csrftoken=abc' },
    location: { origin: 'https://example.com' },
    navigator: { onLine: true },
    addEventListener: page.addEventListener.bind(page),
    removeEventListener: page.removeEventListener.bind(page),
    ...more,
  }
  for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value)
  return page
}

test('outside a page nothing is shared, since one process may serve many users', () => {
  const environment = detectEnvironment({})
  expect(environment).toMatchObject({ locks: null, localStorage: null, pageOrigin: null })
  expect(environment.openChannel('name', () => undefined)).toBeNull()
})

test('a page shares locks, messages and storage with its tabs', () => {
  const [locks, localStorage] = [{ request: vi.fn() }, { getItem: () => null }]
  stubPage({ navigator: { onLine: false, locks }, localStorage })
  const environment = detectEnvironment({})
  expect(environment).toMatchObject({ locks, localStorage, pageOrigin: 'https://example.com' })
  expect([environment.readCookies(), environment.isOnline()]).toEqual(['csrftoken=abc', false])
})

test('a page of a file or an app has no origin to call', () => {
  stubPage({ location: { origin: 'null' } })
  expect(detectEnvironment({}).pageOrigin).toBeNull()
})

test('forbidden storage is no storage', () => {
  stubPage()
  Object.defineProperty(globalThis, 'localStorage', {
    configurable: true,
    get() {
      throw new DOMException('denied', 'SecurityError')
    },
  })
  expect(detectEnvironment({}).localStorage).toBeNull()
  Reflect.deleteProperty(globalThis, 'localStorage')
})

test('only a page that was put aside counts as one that returns', () => {
  const page = stubPage()
  const listener = vi.fn()
  const stop = detectEnvironment({}).onReturn(listener)
  const show = (persisted: boolean) => page.dispatchEvent(Object.assign(new Event('pageshow'), { persisted }))
  show(false)
  show(true)
  stop()
  show(true)
  expect(listener).toHaveBeenCalledTimes(1)
})

test('the platform’s fetch is called without an object, as browsers demand', async () => {
  let self: unknown = 'not called'
  vi.stubGlobal('fetch', function (this: unknown) {
    self = this
    return Promise.resolve(new Response('{}'))
  })
  await createClient({ baseUrl: 'https://example.com' }).passwordPolicy()
  expect(self).toBeUndefined()
})

test('without BroadcastChannel a sign-out travels by storage events, without tokens', () => {
  const written: [string, string][] = []
  const storage = { setItem: (key: string, value: string) => written.push([key, value]), removeItem: vi.fn() }
  const page = stubPage({ BroadcastChannel: undefined, localStorage: storage })
  const received: unknown[] = []
  const channel = detectEnvironment({}).openChannel('tabs', (message) => received.push(message))
  channel?.post({ type: 'signed-in', access: 'secret' })
  expect(written[0]?.[0]).toBe('tabs')
  expect(written[0]?.[1]).not.toContain('secret')

  const hear = (key: string, newValue: string | null) =>
    page.dispatchEvent(Object.assign(new Event('storage'), { key, newValue }))
  hear('tabs', '{"type":"signed-out"}')
  hear('tabs', null)
  hear('others', '{"type":"signed-out"}')
  hear('tabs', 'not JSON')
  expect(received).toEqual([{ type: 'signed-out' }, null])
  channel?.close()
  hear('tabs', '{"type":"signed-out"}')
  expect(received).toHaveLength(2)
})

test('messages travel by BroadcastChannel where there is one', async () => {
  stubPage()
  const received = new Promise((resolve) => {
    const channel = detectEnvironment({}).openChannel('tabs', (message) => {
      channel?.close()
      resolve(message)
    })
  })
  const sender = detectEnvironment({}).openChannel('tabs', () => undefined)
  sender?.post({ type: 'signed-out' })
  expect(await received).toEqual({ type: 'signed-out' })
  sender?.close()
})
