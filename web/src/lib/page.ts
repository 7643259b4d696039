/** A part of a list, as every list of the server comes. */
export interface Page<T> {
  /** How many there are in all; exact up to 10,000, where it stops. */
  count: number
  next: string | null
  previous: string | null
  results: T[]
}

/** A path with those parameters that have a value. */
export function withParameters(
  path: string,
  parameters: Readonly<Record<string, string | number | undefined>>,
): string {
  const filled = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== '')
  const query = new URLSearchParams(filled.map(([name, value]) => [name, String(value)])).toString()
  return query ? `${path}?${query}` : path
}

/** Path and query of `next`: the page may be reached under another origin than the public one. */
export function pathOfNext(page: Page<unknown>): string | undefined {
  if (!page.next || !URL.canParse(page.next, 'http://localhost')) return undefined
  const { pathname, search } = new URL(page.next, 'http://localhost')
  return pathname + search
}
