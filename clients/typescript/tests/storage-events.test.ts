import { expect, test, vi } from 'vitest'
import { FakeBrowser } from './support/browser.js'
import { settled } from './support/time.js'

// In a browser without BroadcastChannel messages arrive without their token.
function withoutTokens(browser: FakeBrowser) {
  const environment = browser.environment()
  const openChannel: typeof environment.openChannel = (name, receive) => {
    const channel = environment.openChannel(name, receive)
    return {
      post: (message) => channel?.post({ ...(message as object), access: undefined }),
      close: () => channel?.close(),
    }
  }
  return browser.tab({}, { openChannel, locks: null })
}

test('a tab that hears of a sign-in without its token asks the server, and of a sign-out believes it', async () => {
  vi.useFakeTimers()
  const browser = new FakeBrowser()
  const [one, other] = [withoutTokens(browser), withoutTokens(browser)]
  await settled(other.restore())
  await settled(one.login({ username: 'ada', password: 'right' }))
  await vi.advanceTimersByTimeAsync(500)
  expect(other.getSession()).toMatchObject({ status: 'signed-in', user: { username: 'ada' } })
  await settled(one.logout())
  await vi.advanceTimersByTimeAsync(50)
  expect(other.getSession()).toEqual({ status: 'signed-out', reason: 'signed-out' })
})
