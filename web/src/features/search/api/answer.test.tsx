import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { renderHook, waitFor } from '@testing-library/react'
import type { ReactNode } from 'react'
import { expect, test, vi } from 'vitest'
import { client } from '@/lib/client'
import { useAnswer } from './answer'

const queries = new QueryClient()
const wrapper = ({ children }: { children: ReactNode }) => (
  <QueryClientProvider client={queries}>{children}</QueryClientProvider>
)

test('a question that is being answered is not asked again; another one and a later one are', async () => {
  const fetch = vi.spyOn(client, 'fetch').mockReturnValue(new Promise(() => undefined))
  const { result } = renderHook(() => useAnswer(), { wrapper })
  const ask = (query: string) => void result.current.ask(query)
  ask('dragons')
  ask('dragons')
  expect(fetch).toHaveBeenCalledTimes(1)
  fetch.mockRejectedValueOnce(new TypeError('lost'))
  ask('dogs')
  await waitFor(() => expect(result.current.answer).toMatchObject({ status: 'failed', query: 'dogs' }))
  ask('dogs')
  expect(fetch).toHaveBeenCalledTimes(3)
})
