import AxeBuilder from '@axe-core/playwright'
import {
  type APIRequestContext,
  type Browser,
  type BrowserContext,
  test as base,
  expect,
  type Page,
} from '@playwright/test'

export { expect }

interface Fixtures {
  /** What pages have complained of so far; a test that provokes complaints takes them out again. */
  complaints: string[]
  /**
   * Whether hostile HTML is part of the test. It is cleaned in a document of its own, where the policy of the
   * page refuses its handlers and styles before they are taken out, and says so.
   */
  isHostile: boolean
  /** Another browser, in which nobody is signed in. */
  newPage: () => Promise<Page>
}

/** What the policy says of hostile HTML that is being cleaned. */
const REFUSED = /inline event handler|inline style|(script|style)-src-attr inline/

/** A test that also fails when a page of it breaks its content security policy or throws. */
export const test = base.extend<Fixtures>({
  isHostile: [false, { option: true }],
  complaints: async ({ context, isHostile }, use) => {
    const complaints: string[] = []
    await watch(context, complaints)
    await use(complaints)
    expect(complaints.filter((complaint) => !isHostile || !REFUSED.test(complaint))).toEqual([])
  },
  // Every page needs it, the test's first and those of other tabs.
  page: async ({ complaints, page }, use) => {
    void complaints
    await use(page)
  },
  newPage: async ({ browser, baseURL, locale, complaints }, use) => {
    const contexts: BrowserContext[] = []
    await use(async () => {
      const context = await browser.newContext({ baseURL, locale })
      contexts.push(context)
      await watch(context, complaints)
      return context.newPage()
    })
    for (const context of contexts) await context.close()
  },
})

async function watch(context: BrowserContext, complaints: string[]): Promise<void> {
  context.on('weberror', (failure) => complaints.push(failure.error().message))
  context.on('console', (message) => {
    if (/content security policy|trusted ?types?/i.test(message.text())) complaints.push(message.text())
  })
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`Content Security Policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`)
    })
  })
}

export interface Person {
  username: string
  email: string
  password: string
}

let count = 0
// Workers run at once, against one server.
const worker = process.env.TEST_PARALLEL_INDEX ?? '0'

/** Somebody who is not registered yet. */
export function somebody(): Person {
  count += 1
  const username = `ada_${Date.now().toString(36)}_${worker}${count}`
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

/** Registers somebody in a browser that the test does not use otherwise. */
export async function registerElsewhere(browser: Browser, baseURL: string | undefined): Promise<Person> {
  const elsewhere = await browser.newContext({ baseURL })
  const person = await register(await elsewhere.newPage())
  await elsewhere.close()
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

/** What axe finds on the page by all of its rules or some, one line for each finding. */
export async function findings(page: Page, rules?: string[]): Promise<string[]> {
  // A mail's frame runs no scripts, axe's neither.
  const axe = new AxeBuilder({ page }).setLegacyMode().options({ iframes: false })
  const { violations } = await (rules ? axe.withRules(rules) : axe).analyze()
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`),
  )
}
