import { createServer } from 'node:http'
import type { Page } from '@playwright/test'

export interface Site {
  /** On another site than the server: a browser sends no SameSite=Strict cookie from here. */
  crossSite: string
  /** On the server's site, but of another origin: the browser sends every cookie. */
  sameSite: string
  stop(): Promise<void>
}

/** Serves pages of somebody else's; `/` is empty, `files` are added to it. */
export async function startSite(files: Record<string, { type: string; text: string }> = {}): Promise<Site> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://site').pathname
    const file = files[path] ?? { type: 'text/html', text: '<!doctype html><title>Another site</title>' }
    response.writeHead(200, { 'Content-Type': file.type }).end(file.text)
  })
  // Both names of this machine, whatever comes first.
  await new Promise<void>((done) => server.listen(0, '::', done))
  const { port } = server.address() as { port: number }
  return {
    crossSite: `http://localhost:${port}`,
    sameSite: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((done) => {
        server.closeAllConnections()
        server.close(() => done())
      }),
  }
}

export interface Call {
  path: string
  method?: string
  headers?: Record<string, string>
  body?: string
  mode?: RequestMode
}

/** Calls the server from the page, with cookies, and tells what the page's scripts can read of the answer. */
export function call(page: Page, server: string, { path, ...init }: Call): Promise<string> {
  return page.evaluate(
    async ([url, options]) => {
      try {
        const response = await fetch(url, { credentials: 'include', ...options })
        return `${response.status} ${await response.text()}`
      } catch {
        return 'unreadable'
      }
    },
    [server + path, init] as const,
  )
}

/** Posts a form as a whole page does; the page is then the server's answer. */
export async function postForm(page: Page, action: string, enctype: string, fields: Record<string, string>) {
  const sent = page.waitForResponse((response) => response.url() === action)
  await page.evaluate(
    ([url, type, values]) => {
      const form = document.createElement('form')
      Object.assign(form, { method: 'post', action: url, enctype: type })
      for (const [name, value] of Object.entries(values)) {
        const input = document.createElement('input')
        Object.assign(input, { name, value })
        form.append(input)
      }
      document.body.append(form)
      form.submit()
    },
    [action, enctype, fields] as const,
  )
  const status = (await sent).status()
  await page.waitForURL(action)
  return status
}
