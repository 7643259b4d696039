import { type AccessToken, accessToken } from './access-token.js'
import type { Channel } from './environment.js'
import type { SessionState, SignedOutReason, User } from './types.js'

/** What tabs tell each other. */
type Notice =
  | { type: 'signed-in' | 'renewed'; access?: string; receivedAt: number; sessionId?: string; user: User }
  | { type: 'signed-out'; reason: SignedOutReason; sessionId?: string; userId?: string }

/** What the session leaves to others when another tab reports something that it cannot settle alone. */
export interface SessionHooks {
  /** Whether a token of another tab belongs to what this tab would renew with. */
  accepts(token: AccessToken): Promise<boolean>
  /** Somebody signed in elsewhere, but the token did not come along. */
  signedInElsewhere(): void
  /** The user signed out elsewhere, and this tab has a session of its own. */
  signedOutElsewhere(): void
}

/** Who is signed in here, with which access token; tells this page and the other tabs of changes. */
export class Session {
  /**
   * Counts sign-ins and sign-outs. Whatever began under another number (a renewal, a call) belongs to
   * another session, and must neither change this one nor use its token.
   */
  epoch = 0
  access: AccessToken | null = null
  #state: SessionState = { status: 'unknown' }
  #endedSessionId: string | undefined
  readonly #listeners = new Set<() => void>()
  readonly #waiting = new Set<() => void>()
  readonly #channel: Channel | null
  readonly #hooks: SessionHooks

  constructor(open: (receive: (message: unknown) => void) => Channel | null, hooks: SessionHooks) {
    this.#hooks = hooks
    this.#channel = open((message) => void this.#receive(message))
  }

  get state(): SessionState {
    return this.#state
  }

  get user(): User | null {
    return this.#state.status === 'signed-in' ? this.#state.user : null
  }

  subscribe(listener: () => void): () => void {
    // Wrapped, so that a function subscribed twice is called until both are ended.
    const entry = () => listener()
    this.#listeners.add(entry)
    return () => this.#listeners.delete(entry)
  }

  /** A login or a verified address. */
  signIn(access: AccessToken, user: User): void {
    this.#begin(access, user)
    this.#announce('signed-in', access, user)
  }

  /** A new token for the same session. */
  renewed(access: AccessToken, user: User): void {
    this.access = access
    this.setUser(user)
    this.#announce('renewed', access, user)
  }

  /** A token whose owner is not known yet: after a page load, or when the cookie is somebody else's now. */
  awaitUser(access: AccessToken): void {
    if (this.user && String(this.user.id) !== access.claims.userId) {
      this.epoch += 1
      this.#setState({ status: 'unknown' })
    }
    this.access = access
  }

  /** The user as the server has just described them. */
  setUser(user: User): void {
    const current = this.user
    if (current && JSON.stringify(current) === JSON.stringify(user)) return
    this.#setState({ status: 'signed-in', user })
  }

  signOut(reason: SignedOutReason): void {
    const notice: Notice = { type: 'signed-out', reason, ...this.#identity() }
    this.#end(reason)
    // Nobody needs to hear that there was nothing.
    if (reason !== 'never') this.#channel?.post(notice)
  }

  /** Resolves when another tab reports a token or a sign-out, or after a while. */
  nextToken(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#waiting.delete(done)
        resolve()
      }
      this.#waiting.add(done)
      const timer = setTimeout(done, milliseconds)
    })
  }

  close(): void {
    this.#channel?.close()
    this.#listeners.clear()
  }

  #begin(access: AccessToken, user: User): void {
    this.epoch += 1
    this.access = access
    this.#setState({ status: 'signed-in', user })
  }

  #end(reason: SignedOutReason): void {
    this.epoch += 1
    this.#endedSessionId = this.access?.claims.sessionId
    this.access = null
    this.#setState({ status: 'signed-out', reason })
  }

  #identity(): { sessionId?: string; userId?: string } {
    const identity: { sessionId?: string; userId?: string } = {}
    if (this.access?.claims.sessionId) identity.sessionId = this.access.claims.sessionId
    if (this.user) identity.userId = String(this.user.id)
    return identity
  }

  #announce(type: 'signed-in' | 'renewed', access: AccessToken, user: User): void {
    const { sessionId } = access.claims
    const notice = { type, access: access.value, receivedAt: access.receivedAt, user }
    this.#channel?.post(sessionId === undefined ? notice : { ...notice, sessionId })
  }

  #setState(state: SessionState): void {
    this.#state = state
    for (const listener of [...this.#listeners]) listener()
  }

  async #receive(message: unknown): Promise<void> {
    const notice = message as Notice | null
    if (notice?.type === 'signed-out') this.#signedOutElsewhere(notice)
    if (notice?.type === 'signed-in' || notice?.type === 'renewed') await this.#tokenElsewhere(notice)
    for (const done of [...this.#waiting]) done()
  }

  async #tokenElsewhere(notice: Notice & { type: 'signed-in' | 'renewed' }): Promise<void> {
    const isSame = this.access !== null && notice.sessionId === this.access.claims.sessionId
    if (notice.type === 'renewed' && !isSame && this.#state.status !== 'unknown') return
    // A renewal that ended after the sign-out it was racing.
    if (notice.sessionId !== undefined && notice.sessionId === this.#endedSessionId) return
    if (!notice.access) {
      if (notice.type === 'signed-in') this.#hooks.signedInElsewhere()
      return
    }
    const epoch = this.epoch
    const access = accessToken(notice.access, notice.receivedAt)
    if (!(await this.#hooks.accepts(access)) || epoch !== this.epoch) return
    if (isSame || this.#state.status === 'unknown') {
      this.access = access
      this.setUser(notice.user)
    } else {
      this.#begin(access, notice.user)
    }
  }

  #signedOutElsewhere(notice: Notice & { type: 'signed-out' }): void {
    const mine = this.#identity()
    const isMine = this.access === null || mine.sessionId === notice.sessionId
    const isOwnToo = notice.reason === 'signed-out' && mine.userId === notice.userId
    if (!isMine && !isOwnToo) return
    if (!isMine) this.#hooks.signedOutElsewhere()
    if (this.#state.status !== 'signed-out') this.#end(notice.reason)
  }
}
