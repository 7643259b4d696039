/** What this client reads in a token. The server's signature is the server's business. */
export interface Claims {
  userId?: string
  username?: string
  email?: string
  isStaff?: boolean
  /** The session that the token belongs to. */
  sessionId?: string
  /** Milliseconds from issue to expiry. */
  lifetime?: number
}

/** An access token and when it came. */
export interface AccessToken {
  readonly value: string
  readonly claims: Claims
  /** Milliseconds since 1970 by our own clock. */
  readonly receivedAt: number
}

const LONGEST_MARGIN = 30_000

/** Notes when a token came. */
export function accessToken(value: string, receivedAt: number): AccessToken {
  return { value, claims: readClaims(value), receivedAt }
}

/** `fresh`: use it. `late`: use it, and renew it meanwhile. `due`: renew it first. `over`: nobody takes it. */
export type Freshness = 'fresh' | 'late' | 'due' | 'over'

/**
 * How long the server will still take a token.
 *
 * Only differences of one clock count: the server's between issue and expiry, ours since receipt. A clock
 * that is wrong changes nothing; one that was set back makes the token look unborn, and it is renewed.
 */
export function freshness(token: AccessToken, now: number): Freshness {
  const { lifetime } = token.claims
  // A token of a form that we do not know: the server's 401 will tell.
  if (lifetime === undefined) return 'fresh'
  const age = now - token.receivedAt
  const left = lifetime - age
  const margin = Math.min(LONGEST_MARGIN, lifetime / 5)
  if (age < 0 || left <= 0) return 'over'
  if (left > margin) return 'fresh'
  return left > margin / 3 ? 'late' : 'due'
}

/** Reads a JWT's payload; of anything else nothing. */
export function readClaims(token: string): Claims {
  try {
    const payload: unknown = JSON.parse(decodeBase64Url(token.split('.')[1] ?? ''))
    return typeof payload === 'object' && payload !== null ? claimsOf(payload as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function claimsOf(payload: Record<string, unknown>): Claims {
  const claims: Claims = {}
  if (isId(payload.user_id)) claims.userId = String(payload.user_id)
  if (isId(payload.sid)) claims.sessionId = String(payload.sid)
  if (typeof payload.username === 'string') claims.username = payload.username
  if (typeof payload.email === 'string') claims.email = payload.email
  if (typeof payload.is_staff === 'boolean') claims.isStaff = payload.is_staff
  if (typeof payload.exp === 'number' && typeof payload.iat === 'number') {
    claims.lifetime = (payload.exp - payload.iat) * 1000
  }
  return claims
}

function isId(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number'
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** By hand, since React Native has had `atob` only since 0.74 and `TextDecoder` even later. */
function decodeBase64Url(text: string): string {
  let [bits, count, escaped] = [0, 0, '']
  for (const letter of text.replace(/=+$/, '')) {
    const value = ALPHABET.indexOf(letter)
    if (value < 0) throw new SyntaxError('not base64url')
    bits = ((bits << 6) | value) & 0xffff
    count += 6
    if (count < 8) continue
    count -= 8
    escaped += `%${((bits >> count) & 0xff).toString(16).padStart(2, '0')}`
  }
  return decodeURIComponent(escaped)
}
