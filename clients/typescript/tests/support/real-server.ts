import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The binary with a data directory of its own. */
export interface RealServer {
  url: string
  /** Waits for a mail to an address and returns the token of its link. */
  linkToken(address: string, page: string): Promise<string>
  /** Ends it without a warning, and starts it again. */
  kill(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

export const PASSWORD = 'Sturdy-Horse-42!x'

/** Starts it with verified users of these names, and access tokens that live for two seconds. */
export async function startServer(binary: string, usernames: string[]): Promise<RealServer> {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-client-'))
  const port = await freePort()
  const env = {
    // Nothing else of ours: the server refuses settings that it does not know, PORTCULLIS_BINARY among them.
    PATH: process.env.PATH,
    PORTCULLIS_STORAGE__DATA_DIR: folder,
    PORTCULLIS_SERVER__LISTEN: `127.0.0.1:${port}`,
    PORTCULLIS_TOKENS__ACCESS_LIFETIME: '2s',
    PORTCULLIS_THROTTLE__AUTH: '1000/minute',
    PORTCULLIS_PASSWORD__MEMORY_KIB: '1024',
  }
  for (const name of usernames) createUser(binary, env, name)
  const url = `http://127.0.0.1:${port}`
  let server: ChildProcess
  const start = async () => {
    server = spawn(binary, ['serve'], { env, stdio: 'ignore' })
    await until(async () => (await fetch(`${url}/readyz`)).ok)
  }
  await start()
  return {
    url,
    linkToken: (address, page) => until(async () => findToken(join(folder, 'mail'), address, page)),
    start,
    kill: () => end(server, 'SIGKILL'),
    async stop() {
      await end(server, 'SIGTERM')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function createUser(binary: string, env: NodeJS.ProcessEnv, name: string): void {
  const flags = ['--username', name, '--email', `${name}@example.com`, '--password-stdin']
  const { status, stderr } = spawnSync(binary, ['createsuperuser', ...flags], { env, input: `${PASSWORD}\n` })
  if (status !== 0) throw new Error(`createsuperuser: ${stderr}`)
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

export async function until<T>(attempt: () => Promise<T | null | false | undefined>): Promise<T> {
  for (let tries = 0; tries < 600; tries += 1) {
    const result = await attempt().catch(() => null)
    if (result) return result
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('it did not come within 30 s')
}

function findToken(folder: string, address: string, page: string): string | null {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.eml'))) {
    const mail = readFileSync(join(folder, file), 'utf8')
      .split(/^(?=--)/m)
      .map(decode)
      .join('')
    const token = new RegExp(`/${page}\\?token=([\\w-]+)`).exec(mail)?.[1]
    if (token && mail.includes(`To: ${address}`)) return token
  }
  return null
}

/** Only what says that it is quoted-printable: elsewhere a token may begin with `3D`. */
function decode(part: string): string {
  if (!/^Content-Transfer-Encoding: quoted-printable/im.test(part)) return part
  return part.replace(/=\r?\n/g, '').replaceAll('=3D', '=')
}

async function end(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const ended = new Promise((resolve) => server.once('exit', resolve))
  server.kill(signal)
  await ended
}
