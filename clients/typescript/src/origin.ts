/**
 * Scheme and authority of an address, in lower case; null for anything else.
 *
 * By hand, since React Native's `URL` is not one. Stricter than a browser: what only a browser would mend
 * into one of our addresses stays foreign and gets no token.
 */
export function originOf(address: string): string | null {
  return /^https?:\/\/[^/?#\\\s]+(?=[/?#]|$)/i.exec(address)?.[0].toLowerCase() ?? null
}
