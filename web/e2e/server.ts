import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from './fixtures'
import { BINARY, settings } from './settings'

export interface Server {
  url: string
  /** What it has logged so far. */
  log(): string
  /** Runs another verb of the program beside it; gives what that prints. */
  run(verb: string[], input?: string): string
  /** Ends it; its data stay. */
  halt(): Promise<void>
  /** Starts it again where it was. */
  resume(): Promise<void>
  stop(): Promise<void>
}

/** Starts the program on a port and a data directory of its own. */
export async function startServer(more: Record<string, string> = {}): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-e2e-'))
  const listen = `127.0.0.1:${await freePort()}`
  const env = { ...process.env, ...settings(listen, folder), ...more }
  let log = ''
  const launch = () => {
    const started = spawn(BINARY, ['serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [started.stdout, started.stderr]) stream.on('data', (part) => (log += part))
    return started
  }
  let child = launch()
  const server = {
    url: `http://${listen}`,
    log: () => log,
    run: (verb: string[], input = '') => execFileSync(BINARY, verb, { env, input, encoding: 'utf8' }),
    halt: () => end(child),
    resume() {
      child = launch()
      return untilReady(server, child)
    },
    async stop() {
      await end(child)
      rmSync(folder, { recursive: true, force: true })
    },
  }
  await untilReady(server, child)
  return server
}

/** A test against a server of its own, one for each file that calls this. */
export function testWithServer(more: Record<string, string>) {
  return test.extend<object, { server: Server }>({
    server: [
      // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the parameter's text.
      async ({}, use) => {
        const server = await startServer(more)
        await use(server)
        await server.stop()
      },
      { scope: 'worker' },
    ],
    baseURL: async ({ server }, use) => use(server.url),
  })
}

/** A port that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((done) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => done(port))
    })
  })
}

async function untilReady(server: Server, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (child.exitCode !== null) break
    const answer = await fetch(`${server.url}/readyz`).catch(() => undefined)
    if (answer?.ok) return
    await new Promise((done) => setTimeout(done, 50))
  }
  await server.stop()
  throw new Error(`the server does not start: ${server.log()}`)
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return Promise.resolve()
  return new Promise((done) => {
    child.once('exit', () => done())
    child.kill('SIGTERM')
  })
}
