import { claims, jwt } from './tokens.js'

/** The cookies of one browser, as far as they matter. */
export interface Jar {
  refresh?: string | undefined
  csrftoken?: string | undefined
}

/** A call as the server gets it. */
export interface Received {
  method: string
  path: string
  headers: Headers
  body: Record<string, string>
  /** Null when the call came without cookies. */
  jar: Jar | null
}

/** An answer, and what it does to the browser's cookies once it arrives. */
export interface Answer {
  status: number
  body?: unknown
  headers?: Record<string, string>
  cookies?: Jar
}

interface ServerSession {
  userId: number
  generation: number
  spentAt: number[]
  isEnded: boolean
}

interface RefreshClaims {
  sid: string
  generation: number
}

export const LIFETIME = 900
const GRACE = 10_000

/** A server in a variable that rotates, forgives and refuses as the real one does. */
export class FakeServer {
  /** Milliseconds by which its clock is ahead of the client's. */
  skew = 0
  readonly received: Received[] = []
  readonly sessions = new Map<string, ServerSession>()
  readonly users = new Map([
    ['ada', { id: 1, username: 'ada', email: 'ada@example.com', first_name: 'Ada', last_name: 'L' }],
    ['bob', { id: 2, username: 'bob', email: 'bob@example.com', first_name: 'Bob', last_name: 'B' }],
  ])
  #csrfCount = 0
  #jti = 0

  /** How often a path was called. */
  count(path: string): number {
    return this.received.filter((call) => call.path === path).length
  }

  handle(call: Received): Answer {
    this.received.push(call)
    switch (call.path) {
      case '/api/auth/login/':
        return this.#login(call)
      case '/api/auth/refresh/':
        return this.#refresh(call)
      case '/api/auth/logout/':
        return this.#logout(call)
      case '/api/auth/csrf/':
        return this.#csrf(call)
      default:
        return this.#closed(call)
    }
  }

  #login({ body, headers, jar }: Received): Answer {
    const user = this.users.get(body.username ?? '')
    if (!user || body.password !== 'right') return refusal(401, 'no_active_account')
    const sid = `${this.sessions.size + 1}`
    this.sessions.set(sid, { userId: user.id, generation: 0, spentAt: [], isEnded: false })
    return this.#pair(sid, headers.get('X-Auth-Mode') === 'cookie' ? (jar ?? {}) : null, { user })
  }

  #refresh(call: Received): Answer {
    const presented = this.#presented(call)
    if ('refused' in presented) return presented.refused
    const { sid, generation } = claims<RefreshClaims>(presented.token)
    const session = this.sessions.get(sid)
    const isCookie = call.body.refresh === undefined
    const clear = isCookie ? { refresh: undefined } : {}
    if (!session || session.isEnded) return { ...refusal(401, 'token_not_valid'), cookies: clear }
    if (generation === session.generation) {
      session.spentAt[generation] = Date.now()
      session.generation += 1
    } else if (Date.now() - (session.spentAt[generation] ?? 0) >= GRACE) {
      session.isEnded = true
      return { ...refusal(401, 'token_not_valid'), cookies: clear }
    }
    return this.#pair(sid, isCookie ? call.jar : null, {})
  }

  #logout(call: Received): Answer {
    const presented = this.#presented(call)
    if ('refused' in presented) return presented.refused
    const session = this.sessions.get(claims<RefreshClaims>(presented.token).sid)
    if (session) session.isEnded = true
    return { status: 200, body: { message: 'Logout successful' }, cookies: { refresh: undefined } }
  }

  #presented({ body, jar, headers }: Received): { token: string } | { refused: Answer } {
    if (body.refresh !== undefined) return { token: body.refresh }
    if (!jar?.refresh) {
      const fields = { refresh: ['This field is required.'] }
      return {
        refused: { status: 400, body: { code: 'invalid', detail: 'This field is required.', fields } },
      }
    }
    const isProved = jar.csrftoken !== undefined && headers.get('X-CSRFToken') === jar.csrftoken
    return isProved ? { token: jar.refresh } : { refused: refusal(403, 'csrf_failed') }
  }

  #csrf({ jar }: Received): Answer {
    this.#csrfCount += 1
    const csrftoken = jar?.csrftoken ?? `csrf-${this.#csrfCount}`
    return { status: 200, body: { csrftoken }, cookies: { csrftoken } }
  }

  #closed(call: Received): Answer {
    const session = this.authenticate(call.headers)
    if (!session) return refusal(401, 'token_not_valid')
    const user = [...this.users.values()].find(({ id }) => id === session.userId)
    const me = { ...user, is_staff: false, email_verified: true, date_joined: '2026-01-01T00:00:00Z' }
    if (call.path === '/api/auth/logout-all/') for (const each of this.sessions.values()) each.isEnded = true
    return {
      status: 200,
      body: call.path === '/api/auth/me/' ? me : { caller: user?.username, ...call.body },
    }
  }

  /** The session of a Bearer that is valid now by the server's clock. */
  authenticate(headers: Headers): ServerSession | null {
    const token = /^Bearer (.+)/.exec(headers.get('Authorization') ?? '')?.[1]
    if (!token) return null
    const { sid, exp } = claims<{ sid: string; exp: number }>(token)
    const session = this.sessions.get(sid)
    return session && !session.isEnded && exp * 1000 > Date.now() + this.skew ? session : null
  }

  #pair(sid: string, jar: Jar | null, more: object): Answer {
    const session = this.sessions.get(sid)
    const user = [...this.users.values()].find(({ id }) => id === session?.userId)
    const iat = Math.floor((Date.now() + this.skew) / 1000)
    const { username, email } = user ?? {}
    this.#jti += 1
    const access = jwt({
      jti: this.#jti,
      sid,
      user_id: String(user?.id),
      username,
      email,
      is_staff: false,
      iat,
      exp: iat + LIFETIME,
    })
    const refresh = jwt({ sid, generation: session?.generation })
    if (!jar) return { status: 200, body: { access, refresh, ...more } }
    return {
      status: 200,
      body: { access, ...more },
      cookies: { refresh, csrftoken: jar.csrftoken ?? 'csrf-of-login' },
    }
  }
}

/** A refusal in the contract's shape. */
export function refusal(status: number, code: string, headers: Record<string, string> = {}): Answer {
  return { status, headers, body: { error: code, detail: code, code } }
}
