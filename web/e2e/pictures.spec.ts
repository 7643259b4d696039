import { openCommunity, pathOfBook } from './community-tour'
import { expect, register } from './fixtures'
import { testWithServer } from './server'

/** The pictures of the README; `make pictures` puts them there. */
const FOLDER = process.env.PICTURES ?? 'screenshots'
const test = testWithServer({})
test.use({ viewport: { width: 960, height: 640 } })

test('pictures of the README', async ({ page }) => {
  await page.goto('/sign-up')
  await page.getByLabel('Username').fill('mary')
  await page.getByLabel('E-mail').fill('mary@example.com')
  await page.getByLabel('Password', { exact: true }).fill('Lattice-gate-47-iron')
  await expect(page.getByText('strong', { exact: true })).toBeVisible()
  await page.screenshot({ path: `${FOLDER}/sign-up.png`, animations: 'disabled' })
  await register(page, { username: 'mary', email: 'mary@example.com', password: 'Lattice-gate-47-iron' })
  await page.goto('/account')
  await page.getByLabel('First name').fill('Mary')
  await page.getByLabel('Last name').fill('Shelley')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByRole('heading', { name: 'Hello, Mary' })).toBeVisible()
  await page.screenshot({ path: `${FOLDER}/account.png`, animations: 'disabled' })
})

test('a picture of a book for the README', async ({ page, request, server }) => {
  await openCommunity(page, request, server)
  await page.goto(await pathOfBook(request, 'Pride and Prejudice'))
  await expect(page.getByRole('article').first()).toBeVisible()
  await page.waitForLoadState('networkidle')
  await page.screenshot({ path: `${FOLDER}/book.png`, animations: 'disabled' })
})
