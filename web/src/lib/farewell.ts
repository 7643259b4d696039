import { Store } from './store'

/** Whoever is closing an account in this tab. */
export interface Farewell {
  username: string
  /** When it will be gone for good; missing until the server has said so. */
  deletesAt?: string
}

export const farewell = new Store<Farewell | undefined>(undefined)
