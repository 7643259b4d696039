/** The site's name, which the server writes into the page. */
export const siteName = read('site-name') ?? 'Portcullis'

/** Whether there are books, reviews and people here, or an account server alone. */
export const hasCommunity = read('community') !== 'false'

/** How many milliseconds a closed account can be had back, as the server is set. */
export const deletionGrace = 1000 * (Number(read('deletion-grace')) || 30 * 86_400)

/** What the server wrote into a meta tag; a placeholder that nobody filled is nothing. */
function read(name: string): string | undefined {
  const content = document.querySelector(`meta[name="${name}"]`)?.getAttribute('content')?.trim()
  return content && !/^__\w+__$/.test(content) ? content : undefined
}
