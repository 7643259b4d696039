import type { SessionState } from 'portcullis-client'
import { useSyncExternalStore } from 'react'
import { client } from './client'

let restoring: Promise<SessionState> | undefined

/** The session as it is now; the component is drawn again when it changes, in whichever tab. */
export function useSession(): SessionState {
  return useSyncExternalStore(client.subscribe, client.getSession)
}

/** The id of whoever is signed in now. */
export function currentUserId(): number | undefined {
  const session = client.getSession()
  return session.status === 'signed-in' ? session.user.id : undefined
}

/**
 * Who is signed in, asking the server once after the page was loaded.
 *
 * Rejects with a `NetworkError` when the server cannot be reached: that is not a sign-out.
 */
export function ensureSession(): Promise<SessionState> {
  const session = client.getSession()
  if (session.status !== 'unknown') return Promise.resolve(session)
  restoring ??= client.restore().finally(() => {
    restoring = undefined
  })
  return restoring
}
