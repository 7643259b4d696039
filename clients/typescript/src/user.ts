import type { AccessToken } from './access-token.js'
import type { Http } from './http.js'
import type { Account, User } from './types.js'

/** Asks the server whose token it is. */
export async function loadUser(http: Http, accessToken: string): Promise<User> {
  return userOf(await http.json<Account>({ method: 'GET', path: '/api/auth/me/', accessToken }))
}

/** The part of an account that a session shows. */
export function userOf(account: Account): User {
  const { date_joined: _, ...user } = account
  return user
}

/** Name, address and rights as the server read them when it made the token. */
export function withClaims(user: User, { claims }: AccessToken): User {
  return {
    ...user,
    username: claims.username ?? user.username,
    email: claims.email ?? user.email,
    is_staff: claims.isStaff ?? user.is_staff,
  }
}
