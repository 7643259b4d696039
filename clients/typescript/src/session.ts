import type { AccessToken } from './access-token.js'
import type { SessionState, SignedOutReason, User } from './types.js'

/** Which session and whose, as far as is known. */
export interface Identity {
  sessionId: string | undefined
  userId: string | undefined
}

/** What tabs tell each other. */
export type Notice =
  | { type: 'signed-in' | 'renewed'; access: AccessToken; user: User }
  | ({ type: 'signed-out'; reason: SignedOutReason } & Identity)

/** Who is signed in here, and with which access token, which is nowhere but in this variable. */
export class Session {
  /**
   * Counts the sessions. Whatever began under another number (a renewal, a call) belongs to another session:
   * it must neither change this one nor carry its token.
   */
  epoch = 0
  access: AccessToken | null = null
  /** Tells the other tabs. */
  announce: (notice: Notice) => void = () => undefined
  #state: SessionState = { status: 'unknown' }
  readonly #listeners = new Set<() => void>()
  readonly #noticeWaiters = new Set<() => void>()

  get state(): SessionState {
    return this.#state
  }

  get user(): User | null {
    return this.#state.status === 'signed-in' ? this.#state.user : null
  }

  get identity(): Identity {
    const userId = this.user ? String(this.user.id) : this.access?.claims.userId
    return { sessionId: this.access?.claims.sessionId, userId }
  }

  subscribe(listener: () => void): () => void {
    // Wrapped, so that a function subscribed twice is called until both are ended.
    const entry = () => listener()
    this.#listeners.add(entry)
    return () => {
      this.#listeners.delete(entry)
    }
  }

  /** A login or a proved address. */
  signIn(access: AccessToken, user: User): void {
    this.begin(access, user)
    this.announce({ type: 'signed-in', access, user })
  }

  /** A new token for the same session. */
  renew(access: AccessToken, user: User): void {
    this.adopt(access, user)
    this.announce({ type: 'renewed', access, user })
  }

  signOut(reason: SignedOutReason): void {
    const { identity } = this
    this.end(reason)
    // Nobody needs to hear that there was nothing.
    if (reason !== 'never') this.announce({ type: 'signed-out', reason, ...identity })
  }

  /** As `signIn`, in silence: another tab has said it. */
  begin(access: AccessToken, user: User): void {
    this.epoch += 1
    this.adopt(access, user)
  }

  /** As `renew`, in silence. */
  adopt(access: AccessToken, user: User): void {
    this.access = access
    this.setUser(user)
  }

  /** As `signOut`, in silence. */
  end(reason: SignedOutReason): void {
    this.epoch += 1
    this.access = null
    this.#setState({ status: 'signed-out', reason })
  }

  /** A token whose owner has not been asked for: after a page load, or when the cookie is another user's now. */
  awaitUser(access: AccessToken): void {
    const { userId } = access.claims
    if (this.user && userId !== undefined && String(this.user.id) !== userId) {
      this.epoch += 1
      this.#setState({ status: 'unknown' })
    }
    this.access = access
  }

  /** The user as the server has just described them. */
  setUser(user: User): void {
    if (this.user && JSON.stringify(this.user) === JSON.stringify(user)) return
    this.#setState({ status: 'signed-in', user })
  }

  /** Resolves when another tab has reported something, or after a while. */
  nextNotice(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#noticeWaiters.delete(done)
        resolve()
      }
      this.#noticeWaiters.add(done)
      const timer = setTimeout(done, milliseconds)
    })
  }

  /** Another tab's report has been dealt with. */
  noticed(): void {
    for (const done of [...this.#noticeWaiters]) done()
  }

  #setState(state: SessionState): void {
    this.#state = state
    for (const listener of [...this.#listeners]) callSafely(listener)
  }
}

/** A listener that throws is reported, and must not stop a sign-out halfway. */
function callSafely(listener: () => void): void {
  try {
    listener()
  } catch (error) {
    setTimeout(() => {
      throw error
    })
  }
}
