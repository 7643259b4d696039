import { type AsyncRouteComponent, lazyRouteComponent } from '@tanstack/react-router'
import { NetworkError } from 'portcullis-client'

/**
 * A page whose code is loaded when it is opened.
 *
 * Code that the server no longer has is an older build's: the router then loads everything anew. Without a
 * connection that would leave nothing but the browser's own error page, so it is told as what it is.
 */
export function lazyPage<Module>(
  load: () => Promise<Module>,
  name: keyof Module,
): AsyncRouteComponent<object> {
  const loadOrTell = async () => {
    try {
      return await load()
    } catch (error) {
      throw (await isReachable()) ? error : new NetworkError('The page could not be loaded.', error)
    }
  }
  // The type of the page would be a part of the router's, which the page itself uses.
  return lazyRouteComponent(loadOrTell as () => Promise<Record<string, never>>, name as string)
}

async function isReachable(): Promise<boolean> {
  try {
    await fetch('/healthz', { cache: 'no-store' })
    return true
  } catch {
    return false
  }
}
