import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { act, renderHook } from '@testing-library/react'
import type { SessionState } from 'portcullis-client'
import type { ReactNode } from 'react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { client } from '@/lib/client'
import { useMarkRead } from './unread'

const queries = new QueryClient()
const wrapper = ({ children }: { children: ReactNode }) => (
  <QueryClientProvider client={queries}>{children}</QueryClientProvider>
)

beforeEach(() => {
  vi.useFakeTimers()
  become(1)
  vi.spyOn(client, 'request').mockResolvedValue({ room: 7, unread: 0 })
})
afterEach(() => void vi.useRealTimers())

function become(id: number): void {
  vi.spyOn(client, 'getSession').mockReturnValue({ status: 'signed-in', user: { id } } as SessionState)
}

const told = () => vi.mocked(client.request).mock.calls.map(([, , body]) => (body as { seq: number }).seq)
const later = (milliseconds: number) => act(() => vi.advanceTimersByTimeAsync(milliseconds))

function read(seq: number) {
  return renderHook((props) => useMarkRead(7, props.seq, true), { wrapper, initialProps: { seq } })
}

test('what is seen is told, then at most now and again, and the rest on leaving', async () => {
  const { rerender, unmount } = read(3)
  await later(300)
  expect(told()).toEqual([3])
  rerender({ seq: 4 })
  rerender({ seq: 5 })
  await later(1000)
  expect(told()).toEqual([3])
  unmount()
  await later(0)
  expect(told()).toEqual([3, 5])
})

test('on leaving nothing is told in the name of somebody who has signed in meanwhile', async () => {
  const { unmount } = read(3)
  become(2)
  unmount()
  await later(1000)
  expect(told()).toEqual([])
})

test('what could not be told is told again on leaving', async () => {
  vi.mocked(client.request).mockRejectedValueOnce(new Error('lost'))
  const { unmount } = read(3)
  await later(300)
  unmount()
  await later(0)
  expect(told()).toEqual([3, 3])
})

test('what was seen is told when the page is put away', async () => {
  read(3)
  vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden')
  document.dispatchEvent(new Event('visibilitychange'))
  await later(0)
  expect(told()).toEqual([3])
})
