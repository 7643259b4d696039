import { Store } from './store'

/** Whoever is closing an account in this tab. */
export interface Farewell {
  username: string
  /** When it will be gone for good; missing until the server has said so. */
  deletesAt?: string
}

export const farewell = new Store<Farewell | undefined>(undefined)

/** Whether `login` names the account that was closed, so that signing in brought it back. */
export function isReturn(closed: Farewell | undefined, user: { username: string }): boolean {
  return closed !== undefined && closed.username === user.username
}
