import type { Plugin } from 'vite'

/** Fills in the name that the server writes into the built page, for the development server. */
export function siteName(): Plugin {
  return {
    name: 'site-name',
    apply: 'serve',
    transformIndexHtml: (html) => html.replaceAll('__SITE_NAME__', 'Portcullis'),
  }
}
