import { test as base, expect, type Page } from '@playwright/test'

export { expect }

/** A test that also fails when the page breaks its content security policy or throws. */
export const test = base.extend({
  page: async ({ page }, use) => {
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => {
      if (/content security policy|trusted ?types?/i.test(message.text())) complaints.push(message.text())
    })
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        console.error(
          `Content Security Policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`,
        )
      })
    })
    await use(page)
    expect(complaints).toEqual([])
  },
})

export interface Person {
  username: string
  email: string
  password: string
}

let count = 0

/** Somebody who is not registered yet. */
export function somebody(): Person {
  count += 1
  const username = `ada_${Date.now().toString(36)}_${count}`
  return { username, email: `${username}@example.com`, password: 'Lattice-gate-47-iron' }
}

/** Fills the form of `/sign-up` and sends it. */
export async function signUp(page: Page, person: Person): Promise<void> {
  await page.goto('/sign-up')
  await page.getByLabel('Username').fill(person.username)
  await page.getByLabel('E-mail').fill(person.email)
  await page.getByLabel('Password', { exact: true }).fill(person.password)
  await page.getByRole('button', { name: 'Create account' }).click()
  await expect(page.getByRole('heading', { name: 'Check your mail' })).toBeVisible()
}

/** Registers somebody and verifies the address by the link of the mail. */
export async function register(page: Page, person: Person = somebody()): Promise<Person> {
  await signUp(page, person)
  await page.goto(await mailedLink(page, person.email, '/verify-email'))
  await page.getByRole('button', { name: 'Verify my address' }).click()
  await expect(page.getByRole('heading', { name: `Hello, ${person.username}` })).toBeVisible()
  return person
}

/** Signs in on `/sign-in`. */
export async function signIn(page: Page, person: Person): Promise<void> {
  await page.goto('/sign-in')
  await page.getByLabel('Username or e-mail').fill(person.username)
  await page.getByLabel('Password', { exact: true }).fill(person.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Hello' })).toBeVisible()
}

/** The newest mail to an address, as soon as it is there. */
export async function mailTo(page: Page, email: string, having: string): Promise<string> {
  let text = ''
  await expect
    .poll(async () => {
      const { results } = await (await page.request.get('/dev/mail/messages')).json()
      const found = results.find(
        (mail: { to: string[] | string }) =>
          JSON.stringify(mail).includes(email) && JSON.stringify(mail).includes(having),
      )
      text = found ? JSON.stringify(found) : ''
      return text
    })
    .not.toBe('')
  return text
}

/** The path of the link to `path` in the newest mail to an address. */
export async function mailedLink(page: Page, email: string, path: string): Promise<string> {
  const text = await mailTo(page, email, path)
  const link = new RegExp(`${path}\\?token=[\\w.~-]+`).exec(text)
  if (!link) throw new Error(`no link to ${path} in ${text}`)
  return link[0]
}
