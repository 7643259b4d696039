/** The site's name, which the server writes into the page. */
export const siteName = readSiteName()

function readSiteName(): string {
  const content = document.querySelector('meta[name="site-name"]')?.getAttribute('content')
  return content?.trim() || 'Portcullis'
}
