import { expect, signUp, somebody } from './fixtures'
import { testWithServer } from './server'

const test = testWithServer({})

test('new mail appears in the open mailbox by itself, and its button leads to the page', async ({
  page,
  context,
}) => {
  const mailbox = await context.newPage()
  await mailbox.goto('/dev/mail/')
  await expect(mailbox.getByRole('heading', { name: 'Mailbox' })).toBeVisible()
  await page.goto('/sign-up')
  const ada = somebody()
  await signUp(page, ada)

  const entry = mailbox.getByRole('listitem').filter({ hasText: ada.email })
  await mailbox.bringToFront()
  await expect(entry).toBeVisible()
  await entry.getByRole('link').first().click()
  await expect(mailbox.getByRole('heading', { level: 1 })).toBeVisible()
  await mailbox.getByRole('link', { name: 'Open link' }).click()
  await expect(mailbox).toHaveURL('/verify-email')
  await mailbox.getByRole('button', { name: 'Verify my address' }).click()
  await expect(mailbox.getByRole('heading', { name: `Hello, ${ada.username}` })).toBeVisible()
})

test('a mail is shown as HTML in a sandboxed frame, as text and as it was sent', async ({ page }) => {
  const ada = somebody()
  await signUp(page, ada)
  await page.goto('/dev/mail/')
  await page.getByRole('listitem').filter({ hasText: ada.email }).getByRole('link').first().click()
  const frame = page.locator('iframe')
  await expect(frame).toHaveAttribute('sandbox', 'allow-top-navigation-by-user-activation')
  const inside = page.frameLocator('iframe')
  await expect(inside.getByText(ada.username).first()).toBeVisible()
  // A sandboxed frame has an origin of its own, from which nothing of ours can be reached.
  expect(await page.evaluate(() => document.querySelector('iframe')?.contentDocument)).toBeNull()
  await expect(page.locator('pre')).toContainText('/verify-email?token=')
  await inside.getByRole('link').first().click()
  await expect(page).toHaveURL('/verify-email')
  await page.goBack()
  await page.getByRole('link', { name: 'source' }).click()
  await expect(page.locator('body')).toContainText('Message-ID')
})
