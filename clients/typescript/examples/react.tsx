// A sign-in page and what is behind it. Every component that calls useSession follows the session, in all tabs.

import { ApiError, createClient, NetworkError } from 'portcullis-client'
import { useSession } from 'portcullis-client/react'
import { type FormEvent, useEffect, useState } from 'react'

export const client = createClient()

export function App() {
  const session = useSession(client)
  const [isOffline, setOffline] = useState(false)

  useEffect(() => {
    const restore = () =>
      client.restore().then(
        () => setOffline(false),
        () => setOffline(true),
      )
    restore()
    addEventListener('online', restore)
    return () => removeEventListener('online', restore)
  }, [])

  if (session.status === 'unknown') return <p>{isOffline ? 'No connection.' : 'Loading…'}</p>
  if (session.status === 'signed-out') return <SignIn hasExpired={session.reason === 'expired'} />
  return (
    <p>
      Hello {session.user.username}.{' '}
      <button type="button" onClick={() => client.logout().catch(() => {})}>
        Sign out
      </button>
    </p>
  )
}

function SignIn({ hasExpired }: { hasExpired: boolean }) {
  const [problem, setProblem] = useState(hasExpired ? 'Please sign in again.' : '')

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    try {
      await client.login({ username: String(form.get('username')), password: String(form.get('password')) })
    } catch (error) {
      setProblem(problemOf(error))
    }
  }

  return (
    <form onSubmit={submit}>
      <input name="username" autoComplete="username" required />
      <input name="password" type="password" autoComplete="current-password" required />
      <button type="submit">Sign in</button>
      <p role="alert">{problem}</p>
    </form>
  )
}

function problemOf(error: unknown): string {
  if (error instanceof NetworkError) return 'No connection.'
  if (!(error instanceof ApiError)) throw error
  if (error.retryAfter) return `Too many tries. Wait ${error.retryAfter} seconds.`
  return error.detail
}
