import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Plugin } from 'vite'

const FROM_SERVER = /^\/(api|dev|\.well-known|assets)\//

/** Lets `vite preview` answer pages as the server does: a fresh nonce, and the policy that names it. */
export function cspPreview(): Plugin {
  return {
    name: 'csp-preview',
    configurePreviewServer(server) {
      const index = `${server.config.build.outDir}/index.html`
      server.middlewares.use((request, response, next) => {
        if (isPage(request)) answer(index, response).catch(next)
        else next()
      })
    },
  }
}

function isPage(request: IncomingMessage): boolean {
  const url = request.url ?? '/'
  return request.method === 'GET' && !FROM_SERVER.test(url) && !/\.\w+($|\?)/.test(url.split('?')[0] ?? '')
}

async function answer(index: string, response: ServerResponse): Promise<void> {
  const nonce = randomBytes(16).toString('base64')
  const html = (await readFile(index, 'utf8')).replaceAll('__NONCE__', nonce)
  response.setHeader('Content-Type', 'text/html; charset=utf-8')
  response.setHeader('Cache-Control', 'no-store')
  response.setHeader('Content-Security-Policy', policy(nonce))
  response.end(html)
}

function policy(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}'`,
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data: https:",
    "connect-src 'self'",
    "font-src 'self'",
    "frame-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ')
}
