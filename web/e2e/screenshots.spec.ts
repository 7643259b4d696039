import type { Page } from '@playwright/test'
import { expect, mailedLink, register, signIn, somebody, test } from './fixtures'
import { LOOKS, shootIn } from './looks'

for (const look of LOOKS) {
  test.describe(look.name, () => {
    test.setTimeout(180_000)
    test.use({ colorScheme: look.colorScheme, viewport: { width: look.width, height: look.height } })

    const shoot = (page: Page, name: string) => shootIn(look, page, name)

    test('pages for guests', async ({ page }) => {
      for (const path of [
        '/sign-in',
        '/sign-up',
        '/check-mail',
        '/forgot-password',
        '/verify-email',
        '/nowhere',
      ]) {
        await page.goto(path)
        await shoot(page, path.slice(1))
      }
      await page.goto('/')
      await shoot(page, 'welcome')
      for (const path of ['/verify-email', '/reset-password', '/confirm-email']) {
        await page.goto(`${path}?token=not-a-token`)
        await shoot(page, `${path.slice(1)}-link`)
      }
      await page.goto('/verify-email?token=not-a-token')
      await page.getByRole('button', { name: 'Verify my address' }).click()
      await expect(page.getByRole('alert')).toBeFocused()
      await shoot(page, 'verify-email-refused')
    })

    test('forms that are filled', async ({ page }) => {
      const ada = somebody()
      await page.goto('/sign-up')
      await page.getByRole('button', { name: 'Create account' }).click()
      await shoot(page, 'sign-up-empty')
      await page.getByLabel('Username').fill(ada.username)
      await page.getByLabel('E-mail').fill(ada.email)
      await page.getByLabel('Password', { exact: true }).fill('gate1')
      await expect(page.getByText('weak', { exact: false }).first()).toBeVisible()
      await shoot(page, 'sign-up-weak')
      await page.getByLabel('Password', { exact: true }).fill(ada.password)
      await page.getByRole('button', { name: 'Show password' }).click()
      await expect(page.getByText('strong', { exact: true })).toBeVisible()
      await shoot(page, 'sign-up-strong')
      await page.getByRole('button', { name: 'Create account' }).click()
      await expect(page.getByRole('heading', { name: 'Check your mail' })).toBeVisible()
      await shoot(page, 'check-mail-sent')
      await page.goto('/sign-in')
      await page.getByLabel('Username or e-mail').fill(ada.email)
      await page.getByLabel('Password', { exact: true }).fill('wrong')
      await page.getByRole('button', { name: 'Sign in', exact: true }).click()
      await expect(page.getByRole('alert')).toBeFocused()
      await shoot(page, 'sign-in-wrong')
      await page.getByLabel('Username or e-mail').fill(ada.username)
      await page.getByLabel('Password', { exact: true }).fill(ada.password)
      await page.getByRole('button', { name: 'Sign in', exact: true }).click()
      await expect(page.getByText('not verified yet')).toBeVisible()
      await shoot(page, 'sign-in-unverified')
      await page.goto('/forgot-password')
      await page.getByLabel('E-mail').fill(ada.email)
      await page.getByRole('button', { name: 'Send the link' }).click()
      await expect(page.getByRole('heading', { name: 'Look into your mail' })).toBeVisible()
      await shoot(page, 'forgot-password-sent')
    })

    test('the account', async ({ page, browser }) => {
      const ada = await register(page)
      await page.goto('/account')
      await shoot(page, 'account-verified')
      await page.getByLabel('First name').fill('Ada')
      await page.getByLabel('Last name').fill('Lovelace')
      await page.getByRole('button', { name: 'Save' }).click()
      await expect(page.getByText('Your name is saved.')).toBeVisible()
      await shoot(page, 'account-saved')
      await page.getByRole('button', { name: 'Close' }).click()

      await page.goto('/account/email')
      await shoot(page, 'email')
      await page.getByLabel('New e-mail').fill(`new.${ada.email}`)
      await page.getByLabel('Password', { exact: true }).fill('wrong')
      await page.getByRole('button', { name: 'Send the link' }).click()
      await expect(page.getByText('incorrect')).toBeVisible()
      await shoot(page, 'email-wrong-password')
      await page.getByLabel('Password', { exact: true }).fill(ada.password)
      await page.getByRole('button', { name: 'Send the link' }).click()
      await expect(page.getByText('Look into your mail')).toBeVisible()
      await shoot(page, 'email-sent')
      await page.goto(await mailedLink(page, `new.${ada.email}`, '/confirm-email'))
      await page.getByRole('button', { name: 'Confirm the new address' }).click()
      await expect(page.getByRole('heading', { name: 'Done' })).toBeFocused()
      await shoot(page, 'confirm-email-done')

      await page.goto('/account/password')
      await page.getByLabel('New password').fill(ada.password)
      await expect(page.getByText('strong', { exact: true })).toBeVisible()
      await shoot(page, 'password')

      const { baseURL } = test.info().project.use
      const phone = await browser.newContext({
        baseURL,
        userAgent:
          'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
      })
      await signIn(await phone.newPage(), ada)
      await phone.close()
      await page.goto('/account/sessions')
      await expect(page.getByText('this one', { exact: true })).toBeVisible()
      await shoot(page, 'sessions')
      await page.getByRole('button', { name: 'Sign out everywhere' }).click()
      await shoot(page, 'sessions-everywhere')
      await page.getByRole('button', { name: 'Cancel' }).click()
      await page.getByRole('button', { name: /^End the session/ }).click()
      await expect(page.getByText('No other device')).toBeVisible()
      await shoot(page, 'sessions-alone')

      await page.goto('/account/data')
      await shoot(page, 'data')
      await page.getByRole('button', { name: 'Delete my account' }).click()
      await shoot(page, 'data-empty')
      await page.getByLabel('Password', { exact: true }).fill(ada.password)
      await page.getByLabel(`Type ${ada.username}`).fill(ada.username)
      await page.getByRole('button', { name: 'Delete my account' }).click()
      await expect(page.getByText('Your account is closed')).toBeVisible()
      await shoot(page, 'sign-in-closed')
    })
  })
}
