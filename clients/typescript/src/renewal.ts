import { type AccessToken, accessToken, freshness, readClaims } from './access-token.js'
import type { Core } from './core.js'
import { ApiError, NetworkError } from './errors.js'
import { retrying } from './retry.js'
import type { SignedOutReason } from './types.js'
import { loadUser, withClaims } from './user.js'

/** A message of the tab that has just let go of the lock may still be on its way. */
const MESSAGE_DELAY = 100

/** The next pair, and the token that was spent for it (body mode). */
interface Pair {
  access: AccessToken
  refresh: string | null
  spent: string | null
}

/** Exchanges the refresh token for the next access token: once, however many calls and tabs ask. */
export class Renewal {
  readonly #core: Core
  #running: Promise<void> | null = null
  #refusal: { error: ApiError; at: number } | null = null

  constructor(core: Core) {
    this.#core = core
  }

  /** The renewal that is under way, if any. */
  get running(): Promise<void> | null {
    return this.#running
  }

  /**
   * Resolves when the session has a new token or has ended, which its state tells. Rejects when neither is
   * known: the session is then as it was.
   */
  run(): Promise<void> {
    this.#running ??= this.#renew().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  async #renew(): Promise<void> {
    const { session, lock } = this.#core
    this.#respectRefusal()
    const { epoch, access } = session
    const isSettled = () => session.epoch !== epoch || session.access !== access
    await lock.run(async (waited) => {
      if (waited && !isSettled()) await session.nextNotice(MESSAGE_DELAY)
      if (!isSettled()) await this.#settle(epoch)
    })
  }

  /** While the server's Retry-After runs, its refusal is the answer. */
  #respectRefusal(): void {
    if (!this.#refusal) return
    const { error, at } = this.#refusal
    const waited = (this.#core.environment.now() - at) / 1000
    const left = Math.ceil((error.retryAfter ?? 0) - waited)
    // A clock that was set back would have us wait for longer than the server said.
    if (left > 0 && waited >= 0) throw new ApiError({ ...error, retryAfter: left })
    this.#refusal = null
  }

  async #settle(epoch: number): Promise<void> {
    const { session } = this.#core
    try {
      const pair = this.#isOnlyUserMissing() ? null : await this.#exchange(epoch)
      // A renewal that ends after a logout or another login changes nothing.
      if (session.epoch !== epoch) return
      if (pair && !(await this.#keep(pair, epoch))) return
      const access = pair?.access ?? session.access
      if (access) await this.#identify(access)
      else this.#end(session.user ? 'signed-out' : 'never')
    } catch (error) {
      if (session.epoch !== epoch) return
      const reason = this.#reasonOf(error)
      if (!reason) throw error
      this.#end(reason)
    }
  }

  /** An earlier try got the token and then lost the network. */
  #isOnlyUserMissing(): boolean {
    const { session, environment } = this.#core
    if (!session.access || session.user) return false
    return freshness(session.access, environment.now()) === 'fresh'
  }

  /** Null when there is no token to exchange. */
  async #exchange(epoch: number): Promise<Pair | null> {
    const { session, environment } = this.#core
    try {
      return await retrying(
        environment,
        () => session.epoch === epoch,
        (timeout) => this.#attempt(timeout),
      )
    } catch (error) {
      const isPassing = error instanceof ApiError && error.retryAfter !== undefined
      if (isPassing) this.#refusal = { error, at: environment.now() }
      throw error
    }
  }

  async #attempt(timeout: number): Promise<Pair | null> {
    const { credential, environment } = this.#core
    const spent = credential.isCookie ? null : await credential.tokens.get()
    if (!credential.isCookie && spent === null) return null
    // Counted from the sending: whatever happens on the way, the token is not older than that.
    const sentAt = environment.now()
    const answer = await credential.refresh(spent, timeout)
    if (typeof answer?.access !== 'string') throw new NetworkError('The answer did not come from the server.')
    return { access: accessToken(answer.access, sentAt), refresh: answer.refresh ?? null, spent }
  }

  /** Keeps body mode's next token, unless a tab that we could not hear has signed out or in meanwhile. */
  async #keep({ access, refresh, spent }: Pair, epoch: number): Promise<boolean> {
    const { credential, session } = this.#core
    if (credential.isCookie || refresh === null) return true
    const stored = await credential.tokens.get()
    if (session.epoch !== epoch) return false
    if (stored === null) {
      this.#end('signed-out')
      return false
    }
    if (stored === spent) await credential.tokens.set(refresh)
    return stored === spent || readClaims(stored).sessionId === access.claims.sessionId
  }

  /** Tells the session its token and whose it is, asking the server only when that is not known. */
  async #identify(access: AccessToken): Promise<void> {
    const { session, http, mark } = this.#core
    session.awaitUser(access)
    const { epoch } = session
    const user = session.user ? withClaims(session.user, access) : await loadUser(http, access.value)
    if (session.epoch !== epoch) return
    mark.set('signed-in')
    session.renew(access, user)
  }

  /** What ends a session is the server's word that its token is no good, or that there is none. */
  #reasonOf(error: unknown): SignedOutReason | null {
    if (!(error instanceof ApiError)) return null
    if (error.status === 401) return 'expired'
    const isMissing = error.status === 400 && this.#core.credential.isCookie && 'refresh' in error.fields
    if (!isMissing) return null
    return this.#core.session.user ? 'expired' : 'never'
  }

  #end(reason: SignedOutReason): void {
    const { credential, session, mark } = this.#core
    mark.set(null)
    if (session.state.status !== 'signed-out') session.signOut(reason)
    if (!credential.isCookie && reason === 'expired') void credential.tokens.set(null)
  }
}
