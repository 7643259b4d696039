import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClientIn } from '../src/client.js'
import { detectEnvironment } from '../src/environment.js'
import { ApiError, createClient } from '../src/index.js'
import { CookieJar } from './support/cookie-jar.js'
import { PASSWORD, type RealServer, startServer } from './support/real-server.js'

const binary = process.env.PORTCULLIS_BINARY
const OTHER_PASSWORD = 'Quiet-Otter-17?z'

describe.skipIf(!binary)('with the real server', () => {
  let server: RealServer

  beforeAll(async () => {
    server = await startServer(binary ?? '', ['ada', 'bob', 'eve'])
  }, 30_000)
  afterAll(() => server?.stop())

  const credentials = (username: string) => ({ username, password: PASSWORD })
  const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

  /** A page of the server's own origin with these cookies. */
  function page(jar: CookieJar, fetch = jar.fetch) {
    const environment = detectEnvironment({})
    return createClientIn(
      { ...environment, fetch, pageOrigin: server.url, readCookies: () => jar.readable },
      {},
    )
  }

  test('an account is registered, proved by mail, used and left', async () => {
    const client = createClient({ baseUrl: server.url })
    const email = 'grace@example.com'
    const made = await client.register({ username: 'grace', email, password: PASSWORD, first_name: 'Grace' })
    expect(made.user).toMatchObject({ username: 'grace', email })
    await expect(client.login(credentials('grace'))).rejects.toMatchObject({ code: 'email_not_verified' })
    const user = await client.verifyEmail({ token: await server.linkToken(email, 'verify-email') })
    expect(user).toMatchObject({ username: 'grace', first_name: 'Grace', email_verified: true })
    expect((await client.updateMe({ last_name: 'Hopper' })).last_name).toBe('Hopper')
    expect(client.getSession()).toMatchObject({ user: { last_name: 'Hopper', is_staff: false } })
    expect(await client.exportMe()).toBeTypeOf('object')
    const { deletes_at } = await client.deleteMe(PASSWORD)
    expect(Date.parse(deletes_at)).toBeGreaterThan(Date.now())
    expect(client.getSession()).toEqual({ status: 'signed-out', reason: 'signed-out' })
  })

  test('a form learns what is wrong with each field', async () => {
    const client = createClient({ baseUrl: server.url })
    const input = { username: 'x', email: 'nonsense', password: 'short' }
    const error: ApiError = await client.register(input).catch((refused) => refused)
    expect(error).toBeInstanceOf(ApiError)
    expect(Object.keys(error.fields).sort()).toEqual(['email', 'password', 'username'])
    expect(error.requestId).toMatch(/\w+/)
    expect((await client.passwordPolicy()).min_length).toBe(8)
  })

  test('twenty calls with an expired token renew once and all succeed', async () => {
    const paths: string[] = []
    const counting: typeof fetch = (input, init) => {
      paths.push(new URL(String(input)).pathname)
      return fetch(input, init)
    }
    const client = createClient({ baseUrl: server.url, fetch: counting })
    await client.login(credentials('ada'))
    await pause(2500)
    await Promise.all(Array.from({ length: 20 }, () => client.me()))
    expect(paths.filter((path) => path === '/api/auth/refresh/')).toHaveLength(1)
    expect(paths.filter((path) => path === '/api/auth/me/')).toHaveLength(20)
  })

  test('a session in a cookie survives a reload, renewals and a lost csrftoken, and ends', async () => {
    const jar = new CookieJar(server.url)
    const client = page(jar)
    await client.login(credentials('bob'))
    const before = jar.cookies.get('refresh')
    expect(before).toBeTruthy()
    const reloaded = page(jar)
    expect(await reloaded.restore()).toMatchObject({
      status: 'signed-in',
      user: { username: 'bob', is_staff: true },
    })
    expect(jar.cookies.get('refresh')).not.toBe(before)
    jar.cookies.delete('csrftoken')
    expect(await page(jar).restore()).toMatchObject({ status: 'signed-in' })
    jar.cookies.set('csrftoken', 'x'.repeat(43))
    expect(await page(jar).restore()).toMatchObject({ status: 'signed-in' })
    await reloaded.logout()
    expect(jar.cookies.has('refresh')).toBe(false)
    expect(await page(jar).restore()).toEqual({ status: 'signed-out', reason: 'never' })
    expect((await client.fetch('/api/auth/me/')).status).toBe(401)
  })

  test('an answer that is lost after the token was spent costs nothing', async () => {
    const jar = new CookieJar(server.url)
    await page(jar).login(credentials('bob'))
    const held = new Map(jar.cookies)
    let losses = 0
    const losing: typeof fetch = async (input, init) => {
      const response = await jar.fetch(input, init)
      if (!String(input).includes('refresh') || losses > 0) return response
      losses += 1
      for (const [name, value] of held) jar.cookies.set(name, value)
      throw new TypeError('fetch failed')
    }
    expect(await page(jar, losing).restore()).toMatchObject({ status: 'signed-in' })
    expect(losses).toBe(1)
  })

  test('two tabs that renew at the same moment stay signed in', async () => {
    const jar = new CookieJar(server.url)
    await page(jar).login(credentials('bob'))
    const states = await Promise.all([page(jar).restore(), page(jar).restore()])
    expect(states.map(({ status }) => status)).toEqual(['signed-in', 'signed-in'])
  })

  test('a session that another device ends is over', async () => {
    const [here, there] = [createClient({ baseUrl: server.url }), createClient({ baseUrl: server.url })]
    await here.login(credentials('eve'))
    await there.login(credentials('eve'))
    const others = (await here.sessions()).filter(({ current }) => !current)
    for (const { id } of others) await here.endSession(id)
    await pause(1100)
    expect((await there.fetch('/api/auth/me/')).status).toBe(401)
    expect(there.getSession()).toEqual({ status: 'signed-out', reason: 'expired' })
    expect((await here.me()).username).toBe('eve')
    await here.logoutAll()
    expect(here.getSession().status).toBe('signed-out')
  })

  test('passwords and addresses are changed and reset by mail', async () => {
    const client = createClient({ baseUrl: server.url })
    await client.login(credentials('eve'))
    await expect(client.changePassword('wrong', OTHER_PASSWORD)).rejects.toMatchObject({ status: 400 })
    await client.changePassword(PASSWORD, OTHER_PASSWORD)
    await client.requestEmailChange('eve2@example.com', OTHER_PASSWORD)
    await client.confirmEmailChange(await server.linkToken('eve2@example.com', 'confirm-email'))
    expect((await client.me()).email).toBe('eve2@example.com')
    await client.requestPasswordReset('eve2@example.com')
    await client.confirmPasswordReset(await server.linkToken('eve2@example.com', 'reset-password'), PASSWORD)
    await pause(1100)
    expect((await client.fetch('/api/auth/me/')).status).toBe(401)
    expect((await client.login(credentials('eve'))).email).toBe('eve2@example.com')
  })

  test('a throttle says how long to wait', async () => {
    const client = createClient({ baseUrl: server.url })
    const tries = Array.from({ length: 7 }, () => client.resendVerification('nobody@example.com'))
    const refused = (await Promise.allSettled(tries)).filter(({ status }) => status === 'rejected')
    expect(refused.length).toBeGreaterThan(0)
    expect((refused[0] as PromiseRejectedResult).reason).toMatchObject({
      status: 429,
      code: 'throttled',
      retryAfter: expect.any(Number),
    })
  })

  test('a server that is not there is a NetworkError', async () => {
    const client = createClient({ baseUrl: 'http://127.0.0.1:9' })
    await expect(client.login(credentials('ada'))).rejects.toMatchObject({ name: 'NetworkError' })
    expect(client.getSession()).toEqual({ status: 'unknown' })
  })
})
