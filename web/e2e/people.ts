import { execFileSync } from 'node:child_process'
import type { APIRequestContext } from '@playwright/test'
import { expect, mailedLink, type Person, somebody } from './fixtures'

/** Calls of the API in somebody's name. */
export type Calls = <T>(method: string, path: string, data?: unknown) => Promise<T>

/** Registers and verifies somebody without their browser. */
export async function enlist(request: APIRequestContext, person: Person = somebody()): Promise<Person> {
  const answer = await request.post('/api/auth/register/', { data: person })
  expect(answer.ok(), await answer.text()).toBeTruthy()
  const link = await mailedLink({ request }, person.email, '/verify-email')
  const token = new URLSearchParams(link.split('?')[1]).get('token')
  const verified = await request.post('/api/auth/verify-email/', { data: { token } })
  expect(verified.ok(), await verified.text()).toBeTruthy()
  return person
}

/** Makes a superuser beside the running server, or takes the one of `E2E_STAFF` (`name:password`). */
export function superuser(): Person {
  const [username, password] = process.env.E2E_STAFF?.split(':') ?? []
  if (username && password) return { username, password, email: '' }
  const staff = somebody()
  const { E2E_SERVER = '', E2E_DATA_DIR } = process.env
  const flags = ['--username', staff.username, '--email', staff.email, '--password-stdin']
  execFileSync(E2E_SERVER, ['createsuperuser', ...flags], {
    input: staff.password,
    env: { ...process.env, PORTCULLIS_STORAGE__DATA_DIR: E2E_DATA_DIR },
  })
  return staff
}

/** Signs in by the API alone. */
export async function callsOf(request: APIRequestContext, person: Person): Promise<Calls> {
  const { username, password } = person
  const login = await request.post('/api/auth/login/', { data: { username, password } })
  expect(login.ok(), await login.text()).toBeTruthy()
  const { access } = await login.json()
  return async (method, path, data) => {
    const answer = await request.fetch(path, { method, data, headers: { Authorization: `Bearer ${access}` } })
    expect(answer.ok(), `${method} ${path}: ${await answer.text()}`).toBeTruthy()
    return answer.status() === 204 ? undefined : answer.json()
  }
}
