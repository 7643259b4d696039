const WITH_TOKEN: Record<string, string> = {
  '/verify-email': 'token',
  '/reset-password': 'token',
  '/confirm-email': 'token',
  '/sign-up': 'invite',
}

let held: { path: string; token: string } | undefined

/**
 * Moves the token of a mailed link from the address bar into memory.
 *
 * Runs before anything else, so that no history entry, screenshot or `Referer` keeps it. It is stored nowhere:
 * after a reload the link has to be opened again.
 */
export function takeTokenFromAddress(location: Location, history: History): void {
  const path = location.pathname.replace(/\/+$/, '')
  const name = WITH_TOKEN[path]
  if (!name) return
  const search = new URLSearchParams(location.search)
  const token = search.get(name)
  if (token === null) return
  search.delete(name)
  const rest = search.size > 0 ? `?${search}` : ''
  history.replaceState(history.state, '', path + rest)
  held = token === '' ? undefined : { path, token }
}

/** The token that the page at `path` was opened with. */
export function linkToken(path: string): string | undefined {
  return held?.path === path ? held.token : undefined
}

/** Forgets the token once it is spent. */
export function dropLinkToken(): void {
  held = undefined
}
