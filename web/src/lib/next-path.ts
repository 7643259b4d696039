import { hasCommunity } from './site'

/** Where whoever is signed in starts. */
export const homePath = hasCommunity ? '/home' : '/account'

const OURS = hasCommunity
  ? /^\/(account|home|books|people|rooms|search|settings|follow-requests)(\/|$)/
  : /^\/account(\/|$)/

/** Where to go after signing in: only pages of this app, never another site. */
export function safeNext(next: string | undefined, origin: string = window.location.origin): string {
  if (!next?.startsWith('/')) return homePath
  const url = URL.canParse(next, origin) ? new URL(next, origin) : undefined
  const isOurs = url?.origin === origin && OURS.test(url.pathname)
  return url && isOurs ? url.pathname + url.search : homePath
}
