import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { act, renderHook } from '@testing-library/react'
import type { ReactNode } from 'react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { client } from './client'
import { useList } from './use-list'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const later = (milliseconds: number) => act(() => vi.advanceTimersByTimeAsync(milliseconds))

test('a list of one part is asked for again by itself, one of more parts is not', async () => {
  const page = { count: 2, results: [1], next: 'http://localhost/api/things/?page=2' }
  const request = vi.spyOn(client, 'request').mockResolvedValue(page)
  const queries = new QueryClient()
  const wrapper = ({ children }: { children: ReactNode }) => (
    <QueryClientProvider client={queries}>{children}</QueryClientProvider>
  )
  const options = { refetchInterval: 1000, refetchesOnePart: true }
  const { result } = renderHook(() => useList(['things'], '/api/things/', options), { wrapper })
  await later(2500)
  expect(request).toHaveBeenCalledTimes(3)
  await act(async () => void result.current.fetchNextPage())
  await later(5000)
  expect(request).toHaveBeenCalledTimes(4)
})
