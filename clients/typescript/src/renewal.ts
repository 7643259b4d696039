import { type AccessToken, accessToken, isFresh, readClaims } from './access-token.js'
import type { Credential } from './credential.js'
import type { Environment } from './environment.js'
import { ApiError, NetworkError } from './errors.js'
import type { Http } from './http.js'
import { pauseBefore, sleep, timeoutOf } from './retry.js'
import type { Session } from './session.js'
import type { TabLock } from './tab-lock.js'
import type { Account, User } from './types.js'

/** A message of the tab that has just let go of the lock may still be on its way. */
const MESSAGE_DELAY = 100

interface Renewed {
  access: AccessToken
  sent: string | null
  refresh: string | null
}

/** Exchanges the refresh token for the next access token: once, however many calls and tabs ask. */
export class Renewal {
  readonly #http: Http
  readonly #session: Session
  readonly #credential: Credential
  readonly #lock: TabLock
  readonly #environment: Environment
  #running: Promise<void> | null = null
  #refusal: { error: ApiError; at: number } | null = null

  constructor(http: Http, session: Session, credential: Credential, lock: TabLock, environment: Environment) {
    this.#http = http
    this.#session = session
    this.#credential = credential
    this.#lock = lock
    this.#environment = environment
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
    this.#respectRefusal()
    const { epoch, access } = this.#session
    const isSettled = () => this.#session.epoch !== epoch || this.#session.access !== access
    await this.#lock.run(async (waited) => {
      if (waited && !isSettled()) await this.#session.nextToken(MESSAGE_DELAY)
      if (isSettled()) return
      if (access && !this.#session.user && isFresh(access, this.#environment.now())) {
        return this.#identify(access)
      }
      await this.#exchange(epoch)
    })
  }

  /** While the server's Retry-After runs, its refusal is the answer. */
  #respectRefusal(): void {
    if (!this.#refusal) return
    const { error, at } = this.#refusal
    const waited = (this.#environment.now() - at) / 1000
    const left = Math.ceil((error.retryAfter ?? 0) - waited)
    if (left > 0 && waited >= 0) throw new ApiError({ ...error, retryAfter: left })
    this.#refusal = null
  }

  async #exchange(epoch: number): Promise<void> {
    try {
      const renewed = await this.#attempts(epoch)
      if (renewed === null) this.#session.signOut(this.#session.user ? 'signed-out' : 'never')
      else await this.#adopt(renewed, epoch)
    } catch (error) {
      if (this.#session.epoch !== epoch) return
      const reason = this.#endOf(error)
      if (!reason) throw error
      if (!this.#credential.isCookie) await this.#credential.tokens.set(null)
      this.#session.signOut(reason)
    }
  }

  /** What ends a session is the server's word that its token is no good, or that there is none. */
  #endOf(error: unknown): 'expired' | 'never' | null {
    if (!(error instanceof ApiError)) return null
    if (error.status === 401) return 'expired'
    const isMissing = error.status === 400 && this.#credential.isCookie && 'refresh' in error.fields
    if (!isMissing) return null
    return this.#session.user ? 'expired' : 'never'
  }

  /**
   * Tries again soon after a lost answer: the server may have spent the token, and gives the same successor
   * only for the next ten seconds.
   */
  async #attempts(epoch: number): Promise<Renewed | null> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#attempt(timeoutOf(attempt))
      } catch (error) {
        const pause = pauseBefore(attempt, error, this.#environment.isOnline())
        if (pause === null || this.#session.epoch !== epoch) throw this.#noted(error)
        await sleep(pause)
        if (this.#session.epoch !== epoch) throw error
      }
    }
  }

  #noted(error: unknown): unknown {
    const isPassing = error instanceof ApiError && (error.status === 429 || error.status === 503)
    if (isPassing) this.#refusal = { error, at: this.#environment.now() }
    return error
  }

  async #attempt(timeout: number): Promise<Renewed | null> {
    const sent = this.#credential.isCookie ? null : await this.#credential.tokens.get()
    if (!this.#credential.isCookie && sent === null) return null
    // Counted from the sending: whatever happens on the way, the token is not older than that.
    const sentAt = this.#environment.now()
    const answer = await this.#credential.refresh(sent, timeout)
    if (typeof answer?.access !== 'string') throw new NetworkError('The answer was not the server’s.')
    return { access: accessToken(answer.access, sentAt), sent, refresh: answer.refresh ?? null }
  }

  async #adopt(renewed: Renewed, epoch: number): Promise<void> {
    if (this.#session.epoch !== epoch) return
    if (!(await this.#keep(renewed, epoch))) return
    if (this.#session.epoch !== epoch) return
    await this.#identify(renewed.access)
  }

  /** Keeps the refresh token, unless a tab without locks has signed out or in meanwhile. */
  async #keep(renewed: Renewed, epoch: number): Promise<boolean> {
    if (this.#credential.isCookie || renewed.refresh === null) return true
    const stored = await this.#credential.tokens.get()
    if (this.#session.epoch !== epoch) return false
    if (stored === null) {
      this.#session.signOut('signed-out')
      return false
    }
    const isSame = stored === renewed.sent
    if (!isSame && readClaims(stored).sessionId !== renewed.access.claims.sessionId) return false
    if (isSame) await this.#credential.tokens.set(renewed.refresh)
    return true
  }

  /** Tells the session its token and whose it is, asking the server only when that is not known. */
  async #identify(access: AccessToken): Promise<void> {
    this.#session.awaitUser(access)
    const begun = this.#session.epoch
    const user = this.#session.user
    if (user) return this.#session.renewed(access, withClaims(user, access))
    const call = { method: 'GET', path: '/api/auth/me/', accessToken: access.value, timeout: 15_000 }
    const account = await this.#http.json<Account>(call)
    if (this.#session.epoch === begun) this.#session.renewed(access, userOf(account))
  }
}

/** The part of an account that a session shows. */
export function userOf(account: Account): User {
  const { date_joined: _, ...user } = account
  return user
}

/** Names and rights as the server has just read them. */
export function withClaims(user: User, access: AccessToken): User {
  const { username, email, isStaff } = access.claims
  return {
    ...user,
    username: username ?? user.username,
    email: email ?? user.email,
    is_staff: isStaff ?? user.is_staff,
  }
}
