import { Store } from './store'

/** What the sign-in page tells whoever has just closed an account in this tab. */
export interface Farewell {
  username: string
  email: string
  deletesAt: string
}

export const farewell = new Store<Farewell | undefined>(undefined)

/** Whether `login` names the account that was closed, so that signing in brought it back. */
export function isReturn(closed: Farewell | undefined, user: { username: string }): boolean {
  return closed !== undefined && closed.username === user.username
}
