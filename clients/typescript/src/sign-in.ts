import { accessToken } from './access-token.js'
import type { Core } from './core.js'
import { retrying } from './retry.js'
import type { components } from './schema.js'
import type { Credentials, SignedInUser, User, VerifyEmailInput } from './types.js'
import { loadUser, withClaims } from './user.js'

type Schemas = components['schemas']

/** What a sign-in answers with, and the user as far as the answer tells. */
interface Proved {
  answer: { access: string; refresh?: string | null }
  user: User
}

/** Signing in and out. */
export class SignIn {
  readonly #core: Core

  constructor(core: Core) {
    this.#core = core
  }

  /** With a password. */
  async login(credentials: Credentials): Promise<SignedInUser> {
    let isUndone = false
    const signedIn = await this.#enter(async () => {
      const answer = await this.#post<Schemas['LoginResponse']>('/api/auth/login/', credentials)
      // Only a verified address gets this far; the token says the rest.
      isUndone = answer.deletion_undone === true
      return { answer, user: { ...answer.user, is_staff: false, email_verified: true } }
    })
    return isUndone ? { ...signedIn, deletion_undone: true } : signedIn
  }

  /** With the proof of an address. */
  verifyEmail(proof: VerifyEmailInput): Promise<User> {
    return this.#enter(async () => {
      const answer = await this.#post<Schemas['VerifyEmailResponse']>('/api/auth/verify-email/', proof)
      const known = { first_name: '', last_name: '', is_staff: false, email_verified: true }
      // The answer leaves out the names, which are not worth failing for.
      const user = await loadUser(this.#core.http, answer.access).catch(() => ({ ...known, ...answer.user }))
      return { answer, user }
    })
  }

  /** Here and in the other tabs at once, then at the server. */
  async logout(): Promise<void> {
    const { session, credential, lock, mark } = this.#core
    session.signOut('signed-out')
    if (credential.isCookie) mark.set('signing-out')
    const token = await this.#takeToken()
    await lock.run(async () => {
      await this.#revoke(token)
      // A login that was under way has come in before us; whoever signs out last means it.
      if (session.user) session.signOut('signed-out')
      await this.#revoke(await this.#takeToken(), false)
      mark.set(null)
    })
  }

  /** Forgets a session that the server has ended. */
  async forget(): Promise<void> {
    this.#core.session.signOut('signed-out')
    this.#core.mark.set(null)
    await this.#takeToken()
  }

  /** Ends the session that only this tab has, because its user signed out in another one. */
  async follow(): Promise<void> {
    await this.#revoke(await this.#takeToken(), false)
  }

  /** Tells the server of a logout that it has not heard of. The user is out either way. */
  async finishLogout(): Promise<void> {
    const { session, lock, mark } = this.#core
    session.signOut('signed-out')
    await lock.run(async () => {
      await this.#revoke(null)
      mark.set(null)
    })
  }

  /** Under the lock, so that no renewal's answer puts the previous user's cookie back. */
  #enter(prove: () => Promise<Proved>): Promise<User> {
    const { session, credential, lock, mark, environment } = this.#core
    return lock.run(async () => {
      // The cookie of a user who left offline is about to be overwritten, and its session to be forgotten.
      if (mark.get() === 'signing-out') await credential.revoke(null, 4000).catch(() => undefined)
      const sentAt = environment.now()
      const { answer, user } = await prove()
      const access = accessToken(answer.access, sentAt)
      if (!credential.isCookie) await credential.tokens.set(answer.refresh ?? null)
      mark.set('signed-in')
      session.signIn(access, withClaims(user, access))
      return withClaims(user, access)
    })
  }

  #post<T>(path: string, body: unknown): Promise<T> {
    return this.#core.http.json<T>({ method: 'POST', path, body, withCredential: true })
  }

  /** Body mode's refresh token, which nobody finds afterwards. */
  async #takeToken(): Promise<string | null> {
    const { credential } = this.#core
    if (credential.isCookie) return null
    const token = await credential.tokens.get()
    if (token !== null) await credential.tokens.set(null)
    return token
  }

  async #revoke(token: string | null, withCookie = true): Promise<void> {
    const { credential, environment } = this.#core
    if (token === null && !(withCookie && credential.isCookie)) return
    await retrying(
      environment,
      () => true,
      (timeout) => credential.revoke(token, timeout),
    )
  }
}
