import type { Page } from '@playwright/test'
import { type Claude, startClaude } from './claude'
import { brokenAnswer, demoPerson } from './community-tour'
import { test as base, expect, signIn } from './fixtures'
import { type Server, startServer } from './server'

const test = base.extend<object, { claude: Claude; server: Server; withClaude: Server }>({
  claude: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the parameter's text.
    async ({}, use) => {
      const claude = await startClaude()
      await use(claude)
      await claude.stop()
    },
    { scope: 'worker' },
  ],
  server: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the parameter's text.
    async ({}, use) => {
      const limits = {
        THROTTLE__AUTH: '1000/minute',
        THROTTLE__ANON: '1000/hour',
        THROTTLE__AI_SEARCH: '3/hour',
      }
      const settings = Object.entries(limits).map(([name, value]) => [`PORTCULLIS_${name}`, value])
      await serve(use, { PORTCULLIS_THROTTLE__ENABLED: 'true', ...Object.fromEntries(settings) })
    },
    { scope: 'worker' },
  ],
  withClaude: [
    async ({ claude }, use) =>
      serve(use, {
        PORTCULLIS_SEARCH__ANTHROPIC_API_KEY: 'sk-ant-of-no-use',
        PORTCULLIS_SEARCH__ANTHROPIC_BASE_URL: claude.url,
      }),
    { scope: 'worker' },
  ],
  baseURL: async ({ server }, use) => use(server.url),
})

/** A server with the books of the demo. */
async function serve(use: (server: Server) => Promise<void>, settings: Record<string, string>) {
  const server = await startServer(settings)
  server.run(['demo'])
  await use(server)
  await server.stop()
}

const box = (page: Page) => page.getByLabel('What are you looking for?')
const answer = (page: Page) => page.getByRole('region', { name: 'Answer' })
const books = (page: Page) => page.getByRole('region', { name: 'Books that fit' }).getByRole('article')
const news = (page: Page) => page.getByRole('main').getByRole('status')

async function ask(page: Page, query: string): Promise<void> {
  await box(page).fill(query)
  await box(page).press('Enter')
}

test('a question is answered without a key, told to a screen reader, and still there on the way back', async ({
  page,
}) => {
  await signIn(page, demoPerson('ada'))
  await page.getByRole('link', { name: 'Search', exact: true }).click()
  await expect(page.getByRole('heading', { name: 'Search', exact: true })).toBeFocused()
  await expect(page.getByText('What will you read next?')).toBeVisible()
  await ask(page, 'pride and prejudice')
  await expect(answer(page)).toContainText('“Pride and Prejudice” by Jane Austen fits best')
  await expect(answer(page)).toContainText('By the built-in search, without AI.')
  await expect(news(page)).toContainText('fits best')
  await expect(books(page).first()).toContainText('This is its title.')
  await expect(box(page)).toBeFocused()
  await books(page).first().getByRole('link').click()
  await expect(page.getByRole('heading', { level: 1, name: 'Pride and Prejudice' })).toBeVisible()
  await page.goBack()
  await expect(answer(page)).toContainText('fits best')
  await expect(box(page)).toHaveValue('pride and prejudice')
})

test('a question that is blank or too long is not asked, and one that nothing fits says so', async ({
  page,
}) => {
  await signIn(page, demoPerson('bo'))
  await page.goto('/search')
  const calls: string[] = []
  page.on('request', (request) => request.url().includes('/ai/search/') && calls.push(request.url()))
  await ask(page, '   ')
  await ask(page, '📚'.repeat(501))
  await expect(page.getByText('One character too many.')).toBeVisible()
  await expect(page.getByText('501 / 500')).toBeVisible()
  await ask(page, 'qqzzx wwvvk')
  await expect(page.getByText('Nothing fits “qqzzx wwvvk”').last()).toBeVisible()
  expect(calls).toHaveLength(1)
})

test('whoever has asked too often is told when to come back, and loses nothing typed', async ({ page }) => {
  await signIn(page, demoPerson('dora'))
  await page.goto('/search')
  for (const title of ['Middlemarch', 'Emma', 'Pride and Prejudice']) {
    await ask(page, title)
    await expect(answer(page)).toContainText(`“${title}”`)
  }
  await ask(page, 'crime and punishment')
  await expect(page.getByText(/The next question is possible at \d\d:\d\d, in (59|1:00):\d\d/)).toBeVisible()
  await expect(box(page)).toHaveValue('crime and punishment')
})

test('a visitor is asked to sign in and comes back to the search', async ({ page }) => {
  await page.goto('/search')
  const { username, password } = demoPerson('eli')
  await page.getByRole('main').getByRole('link', { name: 'Sign in' }).click()
  await page.getByLabel('Username or e-mail').fill(username)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await expect(page).toHaveURL('/search')
  await expect(box(page)).toBeVisible()
})

test('an answer that breaks off keeps what came, and is asked for again', async ({ page, request }) => {
  await signIn(page, demoPerson('finn'))
  await page.goto('/search')
  const body = await brokenAnswer(request)
  await page.route(
    '**/api/ai/search/',
    (route) => route.fulfill({ contentType: 'text/event-stream', body }),
    { times: 1 },
  )
  await ask(page, 'emma')
  await expect(answer(page)).toContainText('Emma is')
  await expect(answer(page)).toContainText('The answer broke off.')
  await expect(books(page)).toContainText(['Emma'])
  await answer(page).getByRole('button', { name: 'Ask again' }).click()
  await expect(answer(page)).toContainText('“Emma” by Jane Austen fits best')
})

test.describe('with a key', () => {
  test.use({ baseURL: async ({ withClaude }, use) => use(withClaude.url) })

  test('an answer appears as it comes, with the books in its order', async ({ page, claude }) => {
    await open(page)
    claude.say('Try the la', 'st one, ', 'it is short & kind.')
    await ask(page, 'a marriage')
    await expect(answer(page)).toContainText('Try the last one,')
    await expect(answer(page)).toHaveAttribute('aria-busy', 'true')
    await expect(answer(page)).not.toContainText('kind')
    await expect(news(page)).toHaveText('Looking through the books…')
    claude.finish()
    await expect(answer(page)).toContainText('Try the last one, it is short & kind.')
    await expect(answer(page)).toContainText('By Claude, over what the built-in search found.')
    await expect(news(page)).toContainText('it is short & kind.')
    const first = books(page).first().getByRole('link')
    await expect(first).toHaveAttribute('href', `/books/${claude.best()}`)
    await expect.poll(() => books(page).count()).toBeGreaterThan(1)
  })

  test('an answer whose source is cut gives way to the built-in search, which says so', async ({
    page,
    claude,
  }) => {
    await open(page)
    claude.say('Half a sen', 'tence')
    await ask(page, 'a whale')
    await expect(answer(page)).toContainText('Half a sen')
    claude.cut()
    await expect(answer(page)).toContainText('Claude did not answer; the built-in search says:')
    await expect(answer(page)).not.toContainText('Half a sen')
    await expect(answer(page)).toContainText('By the built-in search, without AI.')
  })

  test('another question takes the place of one that is being answered', async ({ page, claude }) => {
    await open(page)
    claude.say('About the first', '.')
    await ask(page, 'a whale')
    await expect(answer(page)).toContainText('About the first')
    claude.say('About the second', '.')
    await ask(page, 'marriage')
    await expect(answer(page)).toContainText('About the second')
    claude.finish()
    await expect(answer(page)).toHaveAttribute('aria-busy', 'false')
    await expect(answer(page)).not.toContainText('first')
  })

  async function open(page: Page): Promise<void> {
    await signIn(page, demoPerson('ada'))
    await page.goto('/search')
  }
})
