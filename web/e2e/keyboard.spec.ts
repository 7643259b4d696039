import type { Locator, Page } from '@playwright/test'
import { expect, mailedCode, signIn, somebody, test } from './fixtures'

test('a newcomer registers, verifies, signs out and signs in with the keyboard alone', async ({ page }) => {
  const ada = somebody()
  await page.goto('/')
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  await page.keyboard.press('Tab')
  await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused()
  await expectVisibleFocus(page)
  await page.keyboard.press('Enter')
  await tabTo(page, page.getByRole('link', { name: 'Create an account' }))
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'Create an account' })).toBeFocused()

  await type(page, page.getByLabel('Username'), ada.username)
  await type(page, page.getByLabel('E-mail'), ada.email)
  await type(page, page.getByLabel('Password', { exact: true }), ada.password)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'Check your mail' })).toBeFocused()
  await type(page, page.getByLabel('Code from the mail'), await mailedCode(page, ada.email))
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: `Hello, ${ada.username}` })).toBeFocused()

  await page.keyboard.press('Shift+Tab')
  await tabTo(page, page.getByRole('link', { name: 'Account', exact: true }), 'Shift+Tab')
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL('/account')
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused()
  await page.keyboard.press('Shift+Tab')
  await tabTo(page, page.getByRole('link', { name: 'Sessions' }), 'Shift+Tab')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'Sessions' })).toBeFocused()
  await tabTo(page, page.getByRole('button', { name: 'Sign out', exact: true }), 'Shift+Tab')
  await page.keyboard.press('Space')
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
  await type(page, page.getByLabel('Username or e-mail'), ada.username)
  await type(page, page.getByLabel('Password', { exact: true }), ada.password)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: `Hello, ${ada.username}` })).toBeVisible()
})

test('everything that the tab key reaches on sign-in shows that it has the focus', async ({ page }) => {
  await page.goto('/sign-in')
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
  const reached = new Set<string>()
  for (let count = 0; count < 12; count += 1) {
    await page.keyboard.press('Tab')
    const name = await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 60) ?? '')
    if (name.startsWith('<body')) break
    reached.add(name)
    await expectVisibleFocus(page)
  }
  expect(reached.size).toBeGreaterThanOrEqual(7)
})

test.describe('a phone of 390 pixels', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true })

  test('registers, walks through the account and signs in again without scrolling sideways', async ({
    page,
  }) => {
    const ada = somebody()
    await page.goto('/')
    await page.getByRole('link', { name: 'Create an account' }).tap()
    await page.getByLabel('Username').fill(ada.username)
    await page.getByLabel('E-mail').fill(ada.email)
    await page.getByLabel('Password', { exact: true }).fill(ada.password)
    await page.getByRole('button', { name: 'Create account' }).tap()
    await page.getByLabel('Code from the mail').fill(await mailedCode(page, ada.email))
    await page.getByRole('button', { name: 'Verify' }).tap()
    await expect(page.getByRole('heading', { name: `Hello, ${ada.username}` })).toBeVisible()
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Account' }).tap()
    const pages = page.getByRole('navigation', { name: 'Account' })
    for (const name of ['E-mail', 'Password', 'Sessions', 'Your data', 'Profile']) {
      await pages.getByRole('link', { name }).tap()
      await expect(pages.getByRole('link', { name })).toHaveAttribute('aria-current', 'page')
      await expect(page.getByRole('heading', { level: 1 })).toBeInViewport()
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
    }
    await page.getByRole('button', { name: 'Sign out' }).tap()
    await expect(page).toHaveURL('/sign-in')
    await signIn(page, ada)
  })
})

async function tabTo(page: Page, target: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  const isThere = () => target.evaluate((element) => element === document.activeElement)
  for (let count = 0; count < 15 && !(await isThere()); count += 1) await page.keyboard.press(key)
  await expect(target).toBeFocused()
  await expectVisibleFocus(page)
}

async function type(page: Page, field: Locator, text: string): Promise<void> {
  await tabTo(page, field)
  await page.keyboard.type(text)
}

/** Whoever has the focus, or what stands around it, is drawn otherwise than without. */
async function expectVisibleFocus(page: Page): Promise<void> {
  const differs = await page.evaluate(() => {
    const focused = document.activeElement as HTMLElement
    const around = [
      focused,
      focused.nextElementSibling,
      focused.parentElement,
      focused.parentElement?.parentElement,
    ]
    const looks = () =>
      around.map((element) => {
        if (!element) return ''
        const { outline, boxShadow, borderColor, transform, top } = getComputedStyle(element)
        return [outline, boxShadow, borderColor, transform, top].join()
      })
    const before = looks().join('|')
    focused.blur()
    const after = looks().join('|')
    focused.focus({ focusVisible: true } as FocusOptions)
    return before !== after
  })
  expect(differs, await page.evaluate(() => document.activeElement?.outerHTML)).toBe(true)
}
