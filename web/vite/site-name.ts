import type { Plugin } from 'vite'

/** Fills in what the server writes into the built page, for the development server. */
export function siteName(): Plugin {
  return {
    name: 'site-name',
    apply: 'serve',
    transformIndexHtml: (html) =>
      html.replaceAll('__SITE_NAME__', 'Portcullis').replace('__DELETION_GRACE__', '2592000'),
  }
}
