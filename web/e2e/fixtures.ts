import AxeBuilder from '@axe-core/playwright'
import { type APIRequestContext, test as base, expect, type Page } from '@playwright/test'

export { expect }

interface Fixtures {
  /**
   * Whether hostile HTML is part of the test. It is cleaned in a document of its own, where the policy of the
   * page refuses its handlers and styles before they are taken out, and says so.
   */
  isHostile: boolean
  /** Another browser, in which nobody is signed in. */
  newPage: () => Promise<Page>
}

/** A test that also fails when a page breaks its content security policy or throws. */
export const test = base.extend<Fixtures>({
  isHostile: [false, { option: true }],
  page: async ({ page, isHostile }, use) => {
    const complaints = await watch(page)
    await use(page)
    const refused = /inline event handler|inline style|(script|style)-src-attr inline/
    expect(complaints.filter((complaint) => !isHostile || !refused.test(complaint))).toEqual([])
  },
  newPage: async ({ browser }, use, { project }) => {
    const complaints: string[][] = []
    const pages: Page[] = []
    await use(async () => {
      const { baseURL, locale } = project.use
      const page = await (await browser.newContext({ baseURL, locale })).newPage()
      complaints.push(await watch(page))
      pages.push(page)
      return page
    })
    for (const page of pages) await page.context().close()
    expect(complaints.flat()).toEqual([])
  },
})

async function watch(page: Page): Promise<string[]> {
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (/content security policy|trusted ?types?/i.test(message.text())) complaints.push(message.text())
  })
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`Content Security Policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`)
    })
  })
  return complaints
}

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

/** A page or a test's own connection, by which the development mailbox is read. */
interface Mailbox {
  request: APIRequestContext
}

interface Mail {
  id: string
  to: string
  link: string | null
}

/** The newest mail to an address whose link leads to `path`, as soon as it is there. */
async function mailTo(page: Mailbox, email: string, path: string): Promise<Mail & { link: string }> {
  let mail: Mail | undefined
  await expect
    .poll(async () => {
      const { results } = await (await page.request.get('/dev/mail/messages')).json()
      mail = results.find(({ to, link }: Mail) => to === email && link?.includes(`${path}?`))
      return mail?.link
    })
    .toBeTruthy()
  return mail as Mail & { link: string }
}

/** The link to `path` in the newest mail to an address, without its origin. */
export async function mailedLink(page: Mailbox, email: string, path: string): Promise<string> {
  const { link } = await mailTo(page, email, path)
  const { pathname, search } = new URL(link)
  return pathname + search
}

/** The eight digits of the newest mail to an address. */
export async function mailedCode(page: Page, email: string): Promise<string> {
  const { id } = await mailTo(page, email, '/verify-email')
  const text = await (await page.request.get(`/dev/mail/${id}/text`)).text()
  const code = /^\d{4}[ -]?\d{4}$/m.exec(text)
  if (!code) throw new Error(`no code in ${text}`)
  return code[0]
}

/** What axe finds on the page, one line for each finding. */
export async function findings(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`),
  )
}
