import type { Browser, Page } from '@playwright/test'
import { expect, mailedLink, register, signIn, signUp, somebody } from './fixtures'

/** Is shown every page and state of one, by name. */
export type Look = (name: string) => Promise<void>

/** The pages that nobody has to sign in for. */
export async function tourOfGuests(page: Page, look: Look): Promise<void> {
  for (const path of [
    '/sign-in',
    '/sign-up',
    '/check-mail',
    '/forgot-password',
    '/verify-email',
    '/nowhere',
  ]) {
    await page.goto(path)
    await look(path.slice(1))
  }
  await page.goto('/')
  await look('welcome')
  for (const path of ['/verify-email', '/reset-password', '/confirm-email']) {
    await page.goto(`${path}?token=not-a-token`)
    await look(`${path.slice(1)}-link`)
  }
  await page.goto('/verify-email?token=not-a-token')
  await page.getByRole('button', { name: 'Verify my address' }).click()
  await expect(page.getByRole('alert')).toBeFocused()
  await look('verify-email-refused')
}

/** Forms that are filled, refused and sent. */
export async function tourOfForms(page: Page, look: Look): Promise<void> {
  const ada = somebody()
  await page.goto('/sign-up')
  await page.getByRole('button', { name: 'Create account' }).click()
  await look('sign-up-empty')
  await page.getByLabel('Username').fill(ada.username)
  await page.getByLabel('E-mail').fill(ada.email)
  await page.getByLabel('Password', { exact: true }).fill('gate1')
  await expect(page.getByText('weak', { exact: false }).first()).toBeVisible()
  await look('sign-up-weak')
  await page.getByLabel('Password', { exact: true }).fill(ada.password)
  await page.getByRole('button', { name: 'Show password' }).click()
  await expect(page.getByText('strong', { exact: true })).toBeVisible()
  await look('sign-up-strong')
  await page.getByRole('button', { name: 'Create account' }).click()
  await expect(page.getByRole('heading', { name: 'Check your mail' })).toBeVisible()
  await look('check-mail-sent')
  await page.goto('/sign-in')
  await page.getByLabel('Username or e-mail').fill(ada.email)
  await page.getByLabel('Password', { exact: true }).fill('wrong')
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await expect(page.getByRole('alert')).toBeFocused()
  await look('sign-in-wrong')
  await page.getByLabel('Username or e-mail').fill(ada.username)
  await page.getByLabel('Password', { exact: true }).fill(ada.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await expect(page.getByText('not verified yet')).toBeVisible()
  await look('sign-in-unverified')
  await page.goto('/forgot-password')
  await page.getByLabel('E-mail').fill(ada.email)
  await page.getByRole('button', { name: 'Send the link' }).click()
  await expect(page.getByRole('heading', { name: 'Look into your mail' })).toBeVisible()
  await look('forgot-password-sent')
}

/** The pages of the account. */
export async function tourOfAccount(
  page: Page,
  browser: Browser,
  baseURL: string,
  look: Look,
): Promise<void> {
  const ada = await register(page)
  await page.goto('/account')
  await look('account-verified')
  await page.getByLabel('First name').fill('Ada')
  await page.getByLabel('Last name').fill('Lovelace')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Your name is saved.')).toBeVisible()
  await look('account-saved')
  await closeToast(page)

  await page.goto('/account/email')
  await look('email')
  await page.getByLabel('New e-mail').fill(`new.${ada.email}`)
  await page.getByLabel('Password', { exact: true }).fill('wrong')
  await page.getByRole('button', { name: 'Send the link' }).click()
  await expect(page.getByText('incorrect')).toBeVisible()
  await look('email-wrong-password')
  await page.getByLabel('Password', { exact: true }).fill(ada.password)
  await page.getByRole('button', { name: 'Send the link' }).click()
  await expect(page.getByText('Look into your mail')).toBeVisible()
  await look('email-sent')
  await page.goto(await mailedLink(page, `new.${ada.email}`, '/confirm-email'))
  await page.getByRole('button', { name: 'Confirm the new address' }).click()
  await expect(page.getByRole('heading', { name: 'Done' })).toBeFocused()
  await look('confirm-email-done')

  await page.goto('/account/password')
  await page.getByLabel('New password').fill(ada.password)
  await expect(page.getByText('strong', { exact: true })).toBeVisible()
  await look('password')

  const phone = await browser.newContext({
    baseURL,
    userAgent:
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
  })
  await signIn(await phone.newPage(), ada)
  await phone.close()
  await page.goto('/account/sessions')
  await expect(page.getByText('this one', { exact: true })).toBeVisible()
  await look('sessions')
  await page.getByRole('button', { name: 'Sign out everywhere' }).click()
  await look('sessions-everywhere')
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('button', { name: /^End the session/ }).click()
  await expect(page.getByText('No other device')).toBeVisible()
  await look('sessions-alone')

  await page.goto('/account/data')
  await look('data')
  await page.getByRole('button', { name: 'Delete my account' }).click()
  await look('data-empty')
  await page.getByLabel('Password', { exact: true }).fill(ada.password)
  await page.getByLabel(`Type ${ada.username}`).fill(ada.username)
  await page.getByRole('button', { name: 'Delete my account' }).click()
  await expect(page.getByText('Your account is closed')).toBeVisible()
  await look('sign-in-closed')
}

/** The mailbox of development. */
export async function tourOfMailbox(page: Page, look: Look): Promise<void> {
  await page.goto('/dev/mail/')
  await expect(page.getByRole('heading', { name: 'Mailbox' })).toBeVisible()
  // Empty before the first mail only: tours may share a server.
  if (await page.getByText('No mail yet').isVisible()) await look('mailbox-empty')
  const ada = somebody()
  await signUp(page, ada)
  await mailedLink(page, ada.email, '/verify-email')
  await page.goto('/dev/mail/')
  await look('mailbox')
  await page.getByRole('listitem').getByRole('link').first().click()
  await expect(page.getByRole('heading', { name: 'HTML' })).toBeVisible()
  await look('mailbox-mail')
}

/** It goes by itself, too. */
async function closeToast(page: Page): Promise<void> {
  const close = page.getByRole('button', { name: 'Close' })
  await close.click({ timeout: 2000 }).catch(() => undefined)
  await expect(close).toBeHidden()
}
