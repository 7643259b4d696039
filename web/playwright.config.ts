import { defineConfig } from '@playwright/test'

/**
 * `E2E_BASE_URL` points the tests at a running server. Without it they start the binary (`E2E_SERVER`) with an
 * empty data directory on `E2E_PORT`.
 */
const outside = process.env.E2E_BASE_URL
const listen = `127.0.0.1:${process.env.E2E_PORT ?? '4173'}`
const baseURL = outside ?? `http://${listen}`
// Tests run in processes of their own, and make a superuser beside the server.
process.env.E2E_SERVER ??= '../target/debug/portcullis'
process.env.E2E_DATA_DIR ??= `${process.env.TMPDIR ?? '/tmp'}/portcullis-e2e-${process.pid}`

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
  ...(!outside && { webServer: server() }),
})

function server() {
  return {
    command: `sh -c 'exec ${process.env.E2E_SERVER} serve'`,
    url: `${baseURL}/readyz`,
    env: {
      PORTCULLIS_STORAGE__DATA_DIR: process.env.E2E_DATA_DIR ?? '',
      PORTCULLIS_SERVER__LISTEN: listen,
      PORTCULLIS_THROTTLE__ENABLED: 'false',
      PORTCULLIS_LOG__LEVEL: 'warn',
    },
  }
}
