import { defineConfig } from '@playwright/test'
import { BINARY, settings } from './e2e/settings'

/**
 * `E2E_BASE_URL` points the tests at a running server. Without it they start the binary (`E2E_SERVER`) with an
 * empty data directory on `E2E_PORT`.
 */
const outside = process.env.E2E_BASE_URL
const listen = `127.0.0.1:${process.env.E2E_PORT ?? '4173'}`
const baseURL = outside ?? `http://${listen}`
/** Where scripts/test.sh gathers what has run. */
const reports = process.env.TEST_REPORTS

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  workers: 1,
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  // A machine that runs other things beside may take its time.
  expect: { timeout: 15_000 },
  reporter: [
    [process.env.CI ? 'line' : 'list'],
    ...(reports ? [['junit', { outputFile: `${reports}/browser.xml` }] as const] : []),
  ],
  use: {
    baseURL,
    locale: 'en-GB',
    actionTimeout: 15_000,
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
    command: `sh -c 'exec ${BINARY} serve'`,
    url: `${baseURL}/readyz`,
    env: settings(listen, `${process.env.TMPDIR ?? '/tmp'}/portcullis-e2e-${process.pid}`),
  }
}
