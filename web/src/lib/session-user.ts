import type { User } from 'portcullis-client'
import { useSession } from './session'

/** Whoever is signed in. */
export function useUser(): User | undefined {
  const session = useSession()
  return session.status === 'signed-in' ? session.user : undefined
}
