import { expect, mailedCode, mailedLink, register, signIn, signUp, somebody, test } from './fixtures'

test('a page of the account asks to sign in first and is shown afterwards', async ({ page, context }) => {
  const ada = await register(page)
  await context.clearCookies()
  await page.goto('/account/sessions')
  await expect(page).toHaveURL('/sign-in?next=%2Faccount%2Fsessions')
  await page.getByLabel('Username or e-mail').fill(ada.username)
  await page.getByLabel('Password', { exact: true }).fill(ada.password)
  await page.getByLabel('Password', { exact: true }).press('Enter')
  await expect(page).toHaveURL('/account/sessions')
  await expect(page.getByRole('heading', { name: 'Sessions' })).toBeFocused()
})

test('another site is never where signing in leads', async ({ page, context }) => {
  const ada = await register(page)
  await context.clearCookies()
  await page.goto('/sign-in?next=//evil.example/account')
  await page.getByLabel('Username or e-mail').fill(ada.username)
  await page.getByLabel('Password', { exact: true }).fill(ada.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await expect(page).toHaveURL('/home')
})

test('signing out in one tab closes the other', async ({ page, context }) => {
  await register(page)
  await page.goto('/account')
  const other = await context.newPage()
  await other.goto('/account/data')
  await expect(other.getByRole('heading', { name: 'Your data' })).toBeVisible()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(page).toHaveURL('/sign-in')
  await expect(other).toHaveURL('/sign-in')
  await other.reload()
  await expect(other.getByRole('heading', { name: 'Sign in' })).toBeVisible()
})

test('the address is verified by the code of the mail', async ({ page }) => {
  const ada = somebody()
  await signUp(page, ada)
  await page.getByLabel('Code from the mail').fill(await mailedCode(page, ada.email))
  await page.getByRole('button', { name: 'Verify' }).click()
  await expect(page.getByRole('heading', { name: `Hello, ${ada.username}` })).toBeVisible()
})

test('a forgotten password is replaced by the link of the mail', async ({ page, context }) => {
  const ada = await register(page)
  await context.clearCookies()
  await page.goto('/forgot-password')
  await page.getByLabel('E-mail').fill(ada.email)
  await page.getByRole('button', { name: 'Send the link' }).click()
  await page.goto(await mailedLink(page, ada.email, '/reset-password'))
  await expect(page).toHaveURL('/reset-password')
  await page.getByLabel('New password').fill('Another-gate-48-iron')
  await page.getByRole('button', { name: 'Save the new password' }).click()
  await expect(page.getByText('Your password is changed. Please sign in.')).toBeVisible()
  await signIn(page, { ...ada, password: 'Another-gate-48-iron' })
})

test('a closed account is back after signing in', async ({ page }) => {
  const ada = await register(page)
  await page.goto('/account/data')
  await page.getByLabel('Password', { exact: true }).fill(ada.password)
  await page.getByLabel(`Type ${ada.username}`).fill(ada.username)
  await page.getByRole('button', { name: 'Delete my account' }).click()
  await expect(page.getByText('Your account is closed')).toBeVisible()
  await expect(page.getByLabel('Username or e-mail')).toHaveValue(ada.username)
  await page.getByLabel('Password', { exact: true }).fill(ada.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await expect(page.getByText('Your account will not be deleted.')).toBeVisible()
})

test('a closed account is back after signing in anywhere, and that is said once', async ({
  page,
  newPage,
}) => {
  const ada = await register(page)
  await page.goto('/account/data')
  await page.getByLabel('Password', { exact: true }).fill(ada.password)
  await page.getByLabel(`Type ${ada.username}`).fill(ada.username)
  await page.getByRole('button', { name: 'Delete my account' }).click()
  await expect(page.getByText('Your account is closed')).toBeVisible()
  const [other, third] = [await newPage(), await newPage()]
  await signIn(other, ada)
  await expect(other.getByText('Your account will not be deleted.')).toBeVisible()
  await signIn(third, ada)
  await expect(third.getByText('Your account will not be deleted.')).toHaveCount(0)
})

test('too many tries are answered with a countdown', async ({ page }) => {
  await page.route('**/api/auth/login/', (route) =>
    route.fulfill({
      status: 429,
      headers: { 'Retry-After': '3', 'Content-Type': 'application/json' },
      body: JSON.stringify({
        error: 'Rate limit exceeded',
        detail: 'Rate limit exceeded',
        code: 'throttled',
      }),
    }),
  )
  await page.goto('/sign-in')
  await page.getByLabel('Username or e-mail').fill('ada')
  await page.getByLabel('Password', { exact: true }).fill('wrong')
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await expect(page.getByText(/You can try again in 0:0[123]/)).toBeVisible()
  await expect(page.getByRole('button', { name: 'Sign in', exact: true })).toBeDisabled()
  await expect(page.getByText('You can try again now.')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Sign in', exact: true })).toBeEnabled()
})

test('without a connection the page says so, and comes by itself when it is back', async ({ page }) => {
  const ada = await register(page)
  await page.route('**/api/**', (route) => route.abort())
  await page.reload()
  await expect(page.getByText('The server does not answer yet.')).toBeVisible()
  await expect(page.getByRole('heading', { name: 'No connection' })).toBeVisible({ timeout: 15_000 })
  await page.screenshot({ path: 'screenshots/no-connection.png' })
  await page.unroute('**/api/**')
  await expect(page.getByRole('heading', { name: `Hello, ${ada.username}` })).toBeVisible({ timeout: 10_000 })
})

test('everything is done with the keyboard alone', async ({ page }) => {
  await page.goto('/sign-in')
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
  await page.keyboard.press('Tab')
  await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused()
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  await expect(page.getByLabel('Username or e-mail')).toBeFocused()
  await page.keyboard.type('nobody')
  await page.keyboard.press('Tab')
  await page.keyboard.type('wrong password')
  await page.keyboard.press('Tab')
  await expect(page.getByRole('button', { name: 'Show password' })).toBeFocused()
  await page.keyboard.press('Space')
  await expect(page.getByLabel('Password', { exact: true })).toHaveAttribute('type', 'text')
  await page.getByLabel('Password', { exact: true }).press('Enter')
  await expect(page.getByText('Username or password is wrong.')).toBeVisible()
  await expect(page.getByRole('alert')).toBeFocused()
})

test('the colours that are chosen stay chosen', async ({ page }) => {
  await page.goto('/sign-in')
  await page.getByRole('radio', { name: 'Dark' }).check({ force: true })
  await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', 'dark')
  await page.reload()
  await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', 'dark')
})
