import type { APIRequestContext, Page } from '@playwright/test'
import { expect, mailedLink, type Person, somebody } from './fixtures'
import type { Server } from './server'

/** Calls of the API in somebody's name. */
export type Calls = <T>(method: string, path: string, data?: unknown) => Promise<T>

export interface Book {
  id: number
  title: string
}

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

/** Makes a superuser beside the running server. */
export function superuser(server: Server): Person {
  const staff = somebody()
  const flags = ['--username', staff.username, '--email', staff.email, '--password-stdin']
  server.run(['createsuperuser', ...flags], staff.password)
  return staff
}

/** Signs in by the API alone. */
export async function callsOf(request: APIRequestContext, person: Person): Promise<Calls> {
  const headers = { Authorization: `Bearer ${await tokenOf(request, person)}` }
  return async (method, path, data) => {
    const answer = await request.fetch(path, { method, data, headers })
    expect(answer.ok(), `${method} ${path}: ${await answer.text()}`).toBeTruthy()
    return answer.status() === 204 ? undefined : answer.json()
  }
}

/** A superuser's calls. */
export function staffCalls(request: APIRequestContext, server: Server): Promise<Calls> {
  return callsOf(request, superuser(server))
}

/** An access token. */
export async function tokenOf(request: APIRequestContext, { username, password }: Person): Promise<string> {
  const login = await request.post('/api/auth/login/', { data: { username, password } })
  expect(login.ok(), await login.text()).toBeTruthy()
  return (await login.json()).access
}

/** A book that no other test knows. */
export function makeBook(staff: Calls, name = 'Jane Eyre'): Promise<Book> {
  const title = `${name} ${somebody().username}`
  return staff('POST', '/api/books/', { title, author: 'Charlotte Brontë', year: 1847 })
}

/** Writes a review in the editor: strong words and a list. */
export async function writeReview(page: Page, book: Book, title: string, stars: string): Promise<void> {
  await page.goto(`/books/${book.id}`)
  await page.getByRole('link', { name: 'Write a review' }).click()
  await expect(page.getByRole('heading', { name: 'Write a review' })).toBeFocused()
  await page.getByRole('radio', { name: stars }).check()
  await page.getByLabel('Title').fill(title)
  const text = page.getByRole('textbox', { name: 'Review' })
  await text.click()
  await page.getByRole('button', { name: 'Bold' }).click()
  await page.keyboard.type('Strong')
  await page.getByRole('button', { name: 'Bold' }).click()
  await page.keyboard.type(' words.')
  await page.keyboard.press('Enter')
  await page.keyboard.type('- first')
  await page.keyboard.press('Enter')
  await page.keyboard.type('second')
  await page.getByRole('button', { name: 'Save the review' }).click()
  await expect(page).toHaveURL(`/books/${book.id}`)
  const own = page.getByRole('region', { name: 'Your review' })
  await expect(own.getByRole('heading', { name: title })).toBeVisible()
  await expect(own.locator('strong', { hasText: 'Strong' })).toBeVisible()
  await expect(own.getByRole('listitem').filter({ hasText: 'second' })).toBeVisible()
}

/** Follows somebody on their page. */
export async function follow(page: Page, other: Person): Promise<void> {
  await page.goto(`/people/${other.username}`)
  await page.getByRole('button', { name: `Follow ${other.username}` }).click()
  await expect(page.getByRole('button', { name: `Stop following ${other.username}` })).toBeVisible()
  await expect(page.getByText('1 follower')).toBeVisible()
}

/** Blocks somebody on their page. */
export async function block(page: Page, other: Person): Promise<void> {
  await page.goto(`/people/${other.username}`)
  await page.getByRole('button', { name: 'Block' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Block' }).click()
  await expect(page).toHaveURL('/settings/blocked')
  await expect(page.getByRole('main').getByText(other.username, { exact: true })).toBeVisible()
}
