import { accessToken, readClaims } from './access-token.js'
import type { Channel, Environment } from './environment.js'
import type { RefreshTokens } from './refresh-tokens.js'
import type { Identity, Notice, Session } from './session.js'
import type { User } from './types.js'

/** A notice on its way. The token is missing where the way leads over a disk. */
interface Sent {
  type: Notice['type']
  access?: string
  receivedAt?: number
  user?: User
  reason?: 'signed-out' | 'expired'
  sessionId?: string
  userId?: string
}

/** What a tab does on its own after another one's report. */
export interface Reactions {
  /** Somebody signed in, but the token did not come along. */
  ask(): void
  /** The user signed out in another tab, and this one has a session of its own. */
  follow(): void
}

/** Keeps the tabs of one origin at one session. */
export class Tabs {
  readonly #session: Session
  /** Null in cookie mode, where all tabs have the browser's one token. */
  readonly #tokens: RefreshTokens | null
  readonly #reactions: Reactions
  readonly #channel: Channel | null

  constructor(
    open: (receive: (message: unknown) => void) => ReturnType<Environment['openChannel']>,
    session: Session,
    tokens: RefreshTokens | null,
    reactions: Reactions,
  ) {
    this.#session = session
    this.#tokens = tokens
    this.#reactions = reactions
    this.#channel = open((message) => void this.#receive(message as Sent | null))
    session.announce = (notice) => this.#channel?.post(toSent(notice))
  }

  close(): void {
    // A closed channel throws at whoever still speaks.
    this.#session.announce = () => undefined
    this.#channel?.close()
  }

  async #receive(sent: Sent | null): Promise<void> {
    if (sent?.type === 'signed-out') await this.#signedOut(sent)
    if (sent?.type === 'renewed' || sent?.type === 'signed-in') await this.#token(sent)
    this.#session.noticed()
  }

  async #token(sent: Sent): Promise<void> {
    const session = this.#session
    const isSame = this.#isSameSession(sent)
    const isKnown = session.state.status !== 'unknown'
    // A renewal of a session that has ended here: it was racing the sign-out.
    if (sent.type === 'renewed' && !isSame && isKnown) return
    if (!sent.access || !sent.user) {
      if (!isSame) this.#reactions.ask()
      return
    }
    const { epoch } = session
    if (!(await this.#isOurs(sent)) || epoch !== session.epoch) return
    const access = accessToken(sent.access, sent.receivedAt ?? 0)
    if (isSame || !isKnown) session.adopt(access, sent.user)
    else session.begin(access, sent.user)
  }

  #isSameSession(sent: Sent): boolean {
    const { access, identity } = this.#session
    return access !== null && identity.sessionId === sent.sessionId && identity.userId === sent.userId
  }

  async #signedOut(sent: Sent): Promise<void> {
    const session = this.#session
    if (session.state.status === 'signed-out') return
    const { epoch, identity } = session
    const isSame = session.access ? identity.sessionId === sent.sessionId : await this.#isOurs(sent)
    if (epoch !== session.epoch) return
    const isCookieGone = this.#tokens === null && sent.userId === undefined
    const isUserGone = sent.reason === 'signed-out' && (isCookieGone || isSameUser(identity, sent))
    if (!isSame && !isUserGone) return
    session.end(sent.reason ?? 'signed-out')
    if (isSame) this.#tokens?.forgetUnsaved()
    else this.#reactions.follow()
  }

  /** Whether what was said is about the token that this tab would renew with. */
  async #isOurs(sent: Sent): Promise<boolean> {
    if (!this.#tokens) return true
    const stored = await this.#tokens.get()
    if (sent.type === 'signed-out' && stored === null) return true
    return stored !== null && readClaims(stored).sessionId === sent.sessionId
  }
}

function isSameUser(mine: Identity, sent: Sent): boolean {
  return mine.userId !== undefined && mine.userId === sent.userId
}

function toSent(notice: Notice): Sent {
  if (notice.type === 'signed-out') return notice as Sent
  const { type, access, user } = notice
  const { sessionId, userId } = access.claims
  return { type, access: access.value, receivedAt: access.receivedAt, user, sessionId, userId } as Sent
}
