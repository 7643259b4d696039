/** The site's name, which the server writes into the page. */
export const siteName = readMeta('site-name') || 'Portcullis'

/** How many milliseconds a closed account can be had back, as the server is set. */
export const deletionGrace = 1000 * (Number(readMeta('deletion-grace')) || 30 * 86_400)

function readMeta(name: string): string | undefined {
  return document.querySelector(`meta[name="${name}"]`)?.getAttribute('content')?.trim()
}
