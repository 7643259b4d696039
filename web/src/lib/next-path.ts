/** Where to go after signing in: only pages of the account, never another site. */
export function safeNext(next: string | undefined, origin: string = window.location.origin): string {
  const fallback = '/account'
  if (!next?.startsWith('/')) return fallback
  const url = URL.canParse(next, origin) ? new URL(next, origin) : undefined
  const isOurs = url?.origin === origin && /^\/account(\/|$)/.test(url.pathname)
  return url && isOurs ? url.pathname + url.search : fallback
}
