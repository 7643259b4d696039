import { resolve } from 'node:path'

/** The program under test. */
export const BINARY = resolve(process.env.E2E_SERVER ?? '../target/debug/portcullis')

/** What a server of tests is set to: no throttles, and hashes that cost nothing. */
export function settings(listen: string, folder: string): Record<string, string> {
  return {
    PORTCULLIS_STORAGE__DATA_DIR: folder,
    PORTCULLIS_SERVER__LISTEN: listen,
    PORTCULLIS_THROTTLE__ENABLED: 'false',
    PORTCULLIS_PASSWORD__MEMORY_KIB: '64',
    PORTCULLIS_PASSWORD__ITERATIONS: '1',
    PORTCULLIS_LOG__LEVEL: 'warn',
  }
}
