import { fileURLToPath } from 'node:url'
import type { Page } from '@playwright/test'
import type { PortcullisClient } from 'portcullis-client'
import { build } from 'vite'

declare global {
  interface Window {
    client: PortcullisClient
  }
}

const PATH = '/page-of-a-test'
let bundle: Promise<string> | undefined

/** Opens a page of the server's origin that has nothing but the client, as `window.client`. */
export async function openClientPage(page: Page): Promise<void> {
  bundle ??= bundleClient()
  const script = await bundle
  await page.route(`**${PATH}*`, (route) =>
    route.request().url().endsWith('.js')
      ? route.fulfill({ contentType: 'text/javascript', body: script })
      : route.fulfill({
          contentType: 'text/html',
          body: `<!doctype html><title>test</title><script type="module" src="${PATH}.js"></script>`,
        }),
  )
  await page.goto(PATH)
  await page.waitForFunction(() => 'client' in window)
}

/** The client as one module that puts itself into the window. */
async function bundleClient(): Promise<string> {
  const source = fileURLToPath(new URL('../../clients/typescript/src/index.ts', import.meta.url))
  const start = 'virtual:start'
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    plugins: [
      {
        name: 'start',
        resolveId: (id) => (id === start ? id : undefined),
        load: (id) =>
          id === start
            ? `import { createClient } from ${JSON.stringify(source)}; window.client = createClient()`
            : undefined,
      },
    ],
    build: { write: false, minify: false, rollupOptions: { input: start } },
  })
  const [output] = [built].flat()
  if (!output || !('output' in output)) throw new Error('nothing was built')
  return output.output[0].code
}
