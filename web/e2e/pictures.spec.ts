import { expect, register } from './fixtures'
import { testWithServer } from './server'

/** The pictures of the README; `make pictures` puts them there. */
const FOLDER = process.env.PICTURES ?? 'screenshots'
const test = testWithServer({})
test.use({ viewport: { width: 960, height: 640 } })

test('pictures of the README', async ({ page }) => {
  await page.goto('/sign-up')
  await page.getByLabel('Username').fill('ada')
  await page.getByLabel('E-mail').fill('ada@example.com')
  await page.getByLabel('Password', { exact: true }).fill('Lattice-gate-47-iron')
  await expect(page.getByText('strong', { exact: true })).toBeVisible()
  await page.screenshot({ path: `${FOLDER}/sign-up.png`, animations: 'disabled' })
  await register(page, { username: 'ada', email: 'ada@example.com', password: 'Lattice-gate-47-iron' })
  await page.goto('/account')
  await page.getByLabel('First name').fill('Ada')
  await page.getByLabel('Last name').fill('Lovelace')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByRole('heading', { name: 'Hello, Ada' })).toBeVisible()
  await page.screenshot({ path: `${FOLDER}/account.png`, animations: 'disabled' })
})
