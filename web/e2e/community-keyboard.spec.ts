import type { Locator, Page } from '@playwright/test'
import { expect, signIn } from './fixtures'
import { enlist, makeBook, staffCalls } from './people'
import { picture } from './picture'
import { testWithServer } from './server'

const test = testWithServer({})

test('a reader finds a book, reviews it, follows its other reader and sends a picture with the keyboard alone', async ({
  page,
  newPage,
  request,
  server,
}) => {
  test.setTimeout(120_000)
  const book = await makeBook(await staffCalls(request, server), 'Cranford')
  const [ada, bob] = [await enlist(request), await enlist(request)]
  await signIn(page, ada)
  await walkTo(page, page.getByRole('link', { name: 'Books', exact: true }), 'Shift+Tab')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { level: 1, name: 'Books' })).toBeFocused()
  await walkTo(page, page.getByLabel('Search by title or author'))
  const found = page.waitForResponse(
    (answer) => new URL(answer.url()).searchParams.get('search') === book.title,
  )
  await page.keyboard.type(book.title)
  // What half of the title finds looks the same, and gives way to what the whole finds.
  await found
  await expect(page.getByText('1 book', { exact: true })).toBeVisible()
  await walkTo(page, page.getByRole('link', { name: book.title }))
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: book.title })).toBeFocused()

  await walkTo(page, page.getByRole('link', { name: 'Write a review' }))
  await page.keyboard.press('Enter')
  await expect(page.getByRole('toolbar')).toBeVisible()
  await page.keyboard.press('Tab')
  await walkTo(page, page.getByRole('radio', { name: '1 star' }))
  for (let count = 0; count < 3; count += 1) await page.keyboard.press('ArrowRight')
  await expect(page.getByRole('radio', { name: '4 stars' })).toBeChecked()
  await walkTo(page, page.getByLabel('Title'))
  await page.keyboard.type('By keys alone')
  await walkTo(page, page.getByRole('textbox', { name: 'Review' }))
  await page.keyboard.press('Control+b')
  await page.keyboard.type('Bold')
  await page.keyboard.press('Control+b')
  await page.keyboard.type(' and plain.')
  await walkTo(page, page.getByRole('button', { name: 'Save the review' }))
  await page.keyboard.press('Enter')
  const own = page.getByRole('region', { name: 'Your review' })
  await expect(own.locator('strong')).toHaveText('Bold')

  await page.goto(`/people/${bob.username}`)
  await walkTo(page, page.getByRole('button', { name: `Follow ${bob.username}` }))
  await page.keyboard.press('Space')
  await expect(page.getByText('1 follower')).toBeVisible()

  const buffer = await picture(await newPage(), 300, 200)
  await page.goto('/settings/profile')
  await walkTo(page, page.getByRole('button', { name: 'Choose a picture' }))
  const chooser = page.waitForEvent('filechooser')
  await page.keyboard.press('Enter')
  await (await chooser).setFiles({ name: 'me.png', mimeType: 'image/png', buffer })
  await walkTo(page, page.getByRole('application'))
  await page.keyboard.press('ArrowLeft')
  await walkTo(page, page.getByRole('button', { name: 'Use this part' }))
  await page.keyboard.press('Enter')
  await expect(page.getByText('Your picture is saved.')).toBeVisible()
})

test.describe('a phone of 390 pixels', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true })

  test('is led through the community by its thumb', async ({ page, request }) => {
    await signIn(page, await enlist(request))
    const main = page.getByRole('navigation', { name: 'Main' })
    for (const name of ['Books', 'My page', 'Settings', 'Account', 'Home']) {
      await main.getByRole('link', { name }).tap()
      await expect(main.getByRole('link', { name })).toHaveAttribute('aria-current', 'page')
      await expect(page.getByRole('heading', { level: 1 })).toBeInViewport()
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
    }
  })
})

async function walkTo(page: Page, target: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  await expect(target).toBeVisible()
  const isThere = () => target.evaluate((element) => element === document.activeElement)
  for (let count = 0; count < 30 && !(await isThere()); count += 1) await page.keyboard.press(key)
  await expect(target).toBeFocused()
}
