import { expect, mailedLink, signUp, somebody, test } from './fixtures'

test('a newcomer registers, opens the mail, is signed in and stays so after a reload', async ({ page }) => {
  const ada = somebody()
  await page.goto('/')
  await page.getByRole('link', { name: 'Create an account' }).click()
  await expect(page.getByRole('heading', { name: 'Create an account' })).toBeFocused()
  await signUp(page, ada)
  await expect(page.getByRole('link', { name: 'Open the development mailbox' })).toBeVisible()

  await page.goto(await mailedLink(page, ada.email, '/verify-email'))
  await expect(page).toHaveURL('/verify-email')
  await page.getByRole('button', { name: 'Verify my address' }).click()
  await expect(page.getByRole('heading', { name: `Hello, ${ada.username}` })).toBeVisible()
  await expect(page).toHaveURL('/home')

  await page.reload()
  await expect(page.getByRole('heading', { name: `Hello, ${ada.username}` })).toBeVisible()
})
