import { beforeEach, describe, expect, test, vi } from 'vitest'
import { FakeBrowser } from './support/browser.js'
import { minutes, settled } from './support/time.js'

const ADA = { username: 'ada', password: 'right' }
const BOB = { username: 'bob', password: 'right' }
let browser: FakeBrowser

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-01-01T12:00:00Z') })
  browser = new FakeBrowser()
})

const later = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds)
const userOf = (client: ReturnType<FakeBrowser['tab']>) => {
  const state = client.getSession()
  return state.status === 'signed-in' ? state.user.username : state.status
}

describe('browsers that lack something', () => {
  test('without locks tabs race, and the grace of the server keeps them signed in', async () => {
    browser.hasLocks = false
    browser.hasChannels = false
    await settled(browser.tab().login(ADA))
    const tabs = [browser.tab(), browser.tab()]
    await settled(Promise.all(tabs.map((tab) => tab.restore())))
    expect(tabs.map(userOf)).toEqual(['ada', 'ada'])
    await later(minutes(16))
    const answers = await settled(Promise.all(tabs.map((tab) => tab.fetch('/api/books/'))))
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
  })

  test('without messages a tab learns of a sign-out from the server', async () => {
    browser.hasChannels = false
    const [one, other] = [browser.tab(), browser.tab()]
    await settled(one.login(ADA))
    await settled(other.restore())
    await settled(one.logout())
    expect((await settled(other.fetch('/api/books/'))).status).toBe(401)
    expect(other.getSession().status).toBe('signed-out')
  })

  test('without messages a tab notices that the cookie is another user’s now', async () => {
    browser.hasChannels = false
    const [one, other] = [browser.tab(), browser.tab()]
    await settled(one.login(ADA))
    await settled(other.login(BOB))
    await later(minutes(16))
    const call = one.fetch('/api/books/', { method: 'POST', body: '{"by":"ada"}' })
    // What Ada wrote must not be sent as Bob.
    expect((await settled(call)).status).toBe(401)
    expect(userOf(one)).toBe('bob')
  })
})

test('a sandboxed page, to which locks and messages are refused, signs in all the same', async () => {
  const refused = () => Promise.reject(new DOMException('denied', 'SecurityError'))
  const tab = browser.tab({}, { locks: { request: refused }, openChannel: () => null })
  await settled(tab.login(ADA))
  await later(minutes(16))
  expect((await settled(tab.fetch('/api/books/'))).status).toBe(200)
})
