import { defineConfig } from '@playwright/test'

/**
 * `E2E_BASE_URL` points the tests at a running server that serves the built pages. Without it they start the
 * binary (`E2E_SERVER`) with an empty data directory, and `vite preview` before it, which answers pages
 * under the server's content security policy.
 */
const outside = process.env.E2E_BASE_URL
const baseURL = outside ?? 'http://127.0.0.1:4173'
const api = '127.0.0.1:4180'
const binary = process.env.E2E_SERVER ?? '../target/debug/portcullis'

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  workers: 1,
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  reporter: process.env.CI ? 'line' : 'list',
  use: {
    baseURL,
    locale: 'en-GB',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox'],
    },
  },
  ...(!outside && { webServer: [server(), preview()] }),
})

function server() {
  return {
    command: `sh -c 'exec ${binary} serve'`,
    url: `http://${api}/readyz`,
    env: {
      PORTCULLIS_STORAGE__DATA_DIR: `${process.env.TMPDIR ?? '/tmp'}/portcullis-e2e-${process.pid}`,
      PORTCULLIS_SERVER__LISTEN: api,
      PORTCULLIS_SERVER__PUBLIC_URL: baseURL,
      PORTCULLIS_THROTTLE__ENABLED: 'false',
      PORTCULLIS_LOG__LEVEL: 'warn',
    },
  }
}

function preview() {
  return {
    command: 'npx vite preview --host 127.0.0.1 --port 4173 --strictPort',
    url: baseURL,
    env: { PORTCULLIS_URL: `http://${api}` },
  }
}
