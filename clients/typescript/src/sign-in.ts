import { accessToken } from './access-token.js'
import type { Credential } from './credential.js'
import type { Environment } from './environment.js'
import type { Http } from './http.js'
import type { PendingLogout } from './pending-logout.js'
import { userOf, withClaims } from './renewal.js'
import type { components } from './schema.js'
import type { Session } from './session.js'
import type { TabLock } from './tab-lock.js'
import type { Account, Credentials, User, VerifyEmailInput } from './types.js'

type Schemas = components['schemas']

/** Signing in and out. */
export class SignIn {
  readonly #http: Http
  readonly #session: Session
  readonly #credential: Credential
  readonly #lock: TabLock
  readonly #environment: Environment
  readonly #pending: PendingLogout

  constructor(
    http: Http,
    session: Session,
    credential: Credential,
    lock: TabLock,
    environment: Environment,
    pending: PendingLogout,
  ) {
    this.#http = http
    this.#session = session
    this.#credential = credential
    this.#lock = lock
    this.#environment = environment
    this.#pending = pending
  }

  /** With a password. */
  login(credentials: Credentials): Promise<User> {
    return this.#enter(async () => {
      const answer = await this.#post<Schemas['LoginResponse']>('/api/auth/login/', credentials)
      // Only a verified address gets this far.
      return { answer, user: { ...answer.user, is_staff: false, email_verified: true } }
    })
  }

  /** With the proof of an address. */
  verifyEmail(proof: VerifyEmailInput): Promise<User> {
    return this.#enter(async () => {
      const answer = await this.#post<Schemas['VerifyEmailResponse']>('/api/auth/verify-email/', proof)
      const fallback: User = {
        ...answer.user,
        first_name: '',
        last_name: '',
        is_staff: false,
        email_verified: true,
      }
      return { answer, user: await this.#describe(answer.access, fallback) }
    })
  }

  /** Here at once, then at the server. */
  async logout(): Promise<void> {
    this.#session.signOut('signed-out')
    const token = await this.takeToken()
    this.#pending.note()
    await this.#lock.run(() => this.#credential.revoke(token))
    this.#pending.clear()
  }

  /** Makes up for a logout that did not reach the server; true when there was one. */
  async finishLogout(): Promise<boolean> {
    if (!this.#pending.isNoted) return false
    await this.#lock.run(() => this.#credential.revoke(null))
    this.#pending.clear()
    return true
  }

  /** Body mode's refresh token, which nobody can use afterwards. */
  async takeToken(): Promise<string | null> {
    if (this.#credential.isCookie) return null
    const token = await this.#credential.tokens.get()
    await this.#credential.tokens.set(null)
    return token
  }

  #post<T>(path: string, body: unknown): Promise<T> {
    return this.#http.json<T>({ method: 'POST', path, body, withCookies: true })
  }

  /** Under the lock, so that no renewal's answer puts the previous user's cookie back. */
  #enter(prove: () => Promise<{ answer: { access: string; refresh?: string | null }; user: User }>) {
    return this.#lock.run(async () => {
      const sentAt = this.#environment.now()
      const { answer, user } = await prove()
      const access = accessToken(answer.access, sentAt)
      if (!this.#credential.isCookie) await this.#credential.tokens.set(answer.refresh ?? null)
      this.#pending.clear()
      this.#session.signIn(access, withClaims(user, access))
      return withClaims(user, access)
    })
  }

  /** The names, which verifying does not tell. They are not worth failing for. */
  async #describe(access: string, fallback: User): Promise<User> {
    const call = { method: 'GET', path: '/api/auth/me/', accessToken: access, timeout: 15_000 }
    return this.#http.json<Account>(call).then(userOf, () => fallback)
  }
}
