import { defineConfig } from 'vitest/config'

/** Where scripts/test.sh gathers what has run. */
const reports = process.env.TEST_REPORTS

// biome-ignore lint/style/noDefaultExport: vitest reads nothing else.
export default defineConfig({
  test: {
    include: ['tests/**/*.test.{ts,tsx}'],
    unstubGlobals: true,
    reporters: reports ? ['default', ['junit', { outputFile: `${reports}/client.xml` }]] : ['default'],
  },
})
