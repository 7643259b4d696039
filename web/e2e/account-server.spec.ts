import { expect, register, signIn } from './fixtures'
import { testWithServer } from './server'

const test = testWithServer({ PORTCULLIS_COMMUNITY__ENABLED: 'false' })

test('on an account server alone there is no community', async ({ page, context }) => {
  for (const path of ['/home', '/books', '/people/ada', '/settings/profile']) {
    await page.goto(path)
    await expect(page.getByRole('heading', { name: 'Page not found' })).toBeVisible()
  }
  const ada = await register(page)
  await expect(page).toHaveURL('/account')
  await expect(page.getByRole('navigation', { name: 'Main' })).toHaveCount(0)
  for (const name of ['Books', 'Home', 'Settings']) {
    await expect(page.getByRole('link', { name, exact: true })).toHaveCount(0)
  }
  await context.clearCookies()
  await signIn(page, ada)
  await expect(page).toHaveURL('/account')
})
