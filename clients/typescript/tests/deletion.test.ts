import { beforeEach, expect, test, vi } from 'vitest'
import type { PortcullisClient } from '../src/types.js'
import { FakeBrowser } from './support/browser.js'
import { refusal } from './support/server.js'
import { failure, settled } from './support/time.js'

const ADA = { username: 'ada', password: 'right' }
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

test('deleting the account signs out everywhere', async () => {
  const other = browser.tab()
  await settled(other.restore())
  await settled(client.deleteMe('right'))
  await later(50)
  expect([client.getSession(), other.getSession()]).toEqual([SIGNED_OUT, SIGNED_OUT])
})

test('a refused deletion leaves the session alone', async () => {
  browser.network.plan('/api/auth/me/', refusal(400, 'invalid'))
  await failure(client.deleteMe('wrong'))
  expect(client.getSession().status).toBe('signed-in')
})
