// Calls to your own API, and an error for each field of a form.
import { ApiError, createClient } from 'portcullis-client'

interface Book {
  id: number
  title: string
}

// The API may live elsewhere; no other origin is ever sent the token.
const client = createClient({
  baseUrl: 'https://accounts.example.com',
  apiOrigins: ['https://api.example.com'],
})

export async function listBooks(signal: AbortSignal): Promise<Book[]> {
  const response = await client.fetch('https://api.example.com/books', { signal })
  return response.ok ? response.json() : []
}

export async function addBook(title: string): Promise<Book> {
  return client.request<Book>('POST', '/api/books/', { title })
}

/** What to show beside each field; empty when the account was made. */
export async function register(username: string, email: string, password: string) {
  try {
    await client.register({ username, email, password })
    return {}
  } catch (error) {
    if (error instanceof ApiError && error.code === 'invalid') return error.fields
    throw error
  }
}
