import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'
import { compressed } from './vite/compressed.ts'
import { siteName } from './vite/site-name.ts'
import { themeCss } from './vite/theme-css.ts'

const server = process.env.PORTCULLIS_URL ?? 'http://127.0.0.1:8000'
const proxy = Object.fromEntries(
  ['/api', '/dev', '/media', '/.well-known', '/ws'].map((path) => [path, { target: server, ws: true }]),
)
/** Where scripts/test.sh gathers what has run. */
const reports = process.env.TEST_REPORTS
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  plugins: [react(), themeCss(), siteName(), compressed()],
  resolve: {
    // The client lies outside this folder: its hooks have to use the React of the pages.
    dedupe: ['react'],
    alias: {
      '@': here('./src'),
      'portcullis-client/chat': here('../clients/typescript/src/chat.ts'),
      'portcullis-client/react': here('../clients/typescript/src/react.ts'),
      'portcullis-client': here('../clients/typescript/src/index.ts'),
    },
  },
  html: { cspNonce: '__NONCE__' },
  build: {
    outDir: here('./dist'),
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
    // A style sheet of one page that failed to load would not be tried again.
    cssCodeSplit: false,
  },
  server: { proxy },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.{ts,tsx}'],
    setupFiles: ['src/testing/setup.ts'],
    restoreMocks: true,
    reporters: reports ? ['default', ['junit', { outputFile: `${reports}/web.xml` }]] : ['default'],
  },
})
