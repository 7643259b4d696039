import { QueryClient } from '@tanstack/react-query'
import { ApiError, NetworkError } from 'portcullis-client'
import { client } from './client'
import { currentUserId } from './session'

const RETRIES = 3

/** Reads are tried again when the network or a busy server is in the way; changes never by themselves. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: { retry: isWorthRetrying, retryDelay, staleTime: 30_000 },
    mutations: { retry: false, networkMode: 'always' },
  },
})

// What one user was shown is nothing for the next.
let userId = currentUserId()
client.subscribe(() => {
  if (currentUserId() === userId) return
  userId = currentUserId()
  queryClient.clear()
})

function isWorthRetrying(count: number, error: unknown): boolean {
  if (error instanceof NetworkError) return count < RETRIES
  return error instanceof ApiError && error.status === 503 && count < RETRIES
}

function retryDelay(count: number, error: unknown): number {
  const asked = error instanceof ApiError ? error.retryAfter : undefined
  return asked !== undefined ? asked * 1000 : Math.min(1000 * 2 ** count, 15_000)
}
