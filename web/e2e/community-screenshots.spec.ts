import type { Page } from '@playwright/test'
import { expect, type Person, signIn, somebody, test } from './fixtures'
import { LOOKS, shootIn } from './looks'
import { callsOf, enlist, superuser } from './people'
import { picture } from './picture'

const BOOKS = [
  {
    title: 'Middlemarch',
    author: 'George Eliot',
    year: 1871,
    description: 'A town in the Midlands, two marriages, and a great many second thoughts.',
  },
  { title: 'The Left Hand of Darkness', author: 'Ursula K. Le Guin', year: 1969 },
  { title: 'Die Verwandlung', author: 'Franz Kafka', year: 1915 },
  { title: 'Beloved', author: 'Toni Morrison', year: 1987 },
  {
    title: 'The Life and Opinions of Tristram Shandy, Gentleman',
    author: 'Laurence Sterne',
    year: 1759,
  },
]

const TEXT =
  '<p>I read it <strong>twice</strong>, and the second time it was <em>another book</em>. What stays:</p>' +
  '<ul><li>the letter in chapter ten,</li><li>the storm, of course.</li></ul>' +
  '<p>There is a good edition <a href="https://example.com/">with notes</a>.</p>'
const LONG = `${TEXT}<p>${'It takes its time, and it is right to do so. '.repeat(16)}</p>`

let readers: { ada: Person; bob: Person; books: { id: number }[] } | undefined
let staff: Person | undefined

/** Two readers, some books and reviews, made once. */
async function community(request: Parameters<typeof enlist>[0]) {
  staff ??= superuser()
  if (readers) return readers
  const stamp = somebody().username.slice(4)
  const name = (first: string) => ({ ...somebody(), username: `${first}_${stamp}` })
  const [ada, bob] = [await enlist(request, name('ada')), await enlist(request, name('bob'))]
  const [boss, adas, bobs] = [
    await callsOf(request, staff),
    await callsOf(request, ada),
    await callsOf(request, bob),
  ]
  const books: { id: number }[] = []
  for (const book of BOOKS) books.push(await boss('POST', '/api/books/', book))
  const review = (book: number, title: string, rating: number, review_text: string, is_public = true) => ({
    book: books[book]?.id,
    title,
    rating,
    review_text,
    is_public,
  })
  await adas('POST', '/api/reviews/', review(0, 'A whole town, and everybody in it', 5, TEXT))
  await adas(
    'POST',
    '/api/reviews/',
    review(2, 'Not before breakfast', 3, '<p>Short and terrible.</p>', false),
  )
  await bobs('POST', '/api/reviews/', review(1, 'Cold, and full of warmth', 4, LONG))
  await bobs('POST', '/api/reviews/', review(0, 'Long', 3, '<p>Good, but I skipped the politics.</p>'))
  await adas('POST', `/api/profiles/${bob.username}/follow/`)
  await adas('PATCH', '/api/profile/', { bio: 'I count, and I read.\nMostly old novels.' })
  readers = { ada, bob, books }
  return readers
}

for (const look of LOOKS) {
  test.describe(`community, ${look.name}`, () => {
    test.setTimeout(240_000)
    test.use({ colorScheme: look.colorScheme, viewport: { width: look.width, height: look.height } })
    const shoot = (page: Page, name: string) => shootIn(look, page, `community-${name}`)

    test('visitors', async ({ page, request }) => {
      const { ada, books } = await community(request)
      await page.goto('/home')
      await shoot(page, 'guest-home')
      await page.goto('/books')
      await shoot(page, 'guest-books')
      await page.goto('/books?search=nothing+like+this')
      await expect(page.getByText('Nothing found')).toBeVisible()
      await shoot(page, 'guest-books-nothing')
      await page.goto(`/books/${books[0]?.id}`)
      await expect(page.getByRole('article').first()).toBeVisible()
      await shoot(page, 'guest-book')
      await page.goto(`/people/${ada.username}`)
      await expect(page.getByRole('article').first()).toBeVisible()
      await shoot(page, 'guest-person')
      await page.goto('/people/nobody_at_all')
      await shoot(page, 'guest-hidden')
    })

    test('readers', async ({ page, request }) => {
      const { ada, bob, books } = await community(request)
      await signIn(page, ada)
      await shoot(page, 'home')
      await page.goto('/books')
      await shoot(page, 'books')
      await page.goto(`/books/${books[0]?.id}`)
      await expect(page.getByRole('region', { name: 'Your review' })).toBeVisible()
      await shoot(page, 'book-own')
      await page.getByRole('button', { name: /^Delete the review/ }).click()
      await shoot(page, 'review-delete')
      await page.keyboard.press('Escape')
      await page.goto(`/books/${books[2]?.id}`)
      await expect(page.getByText('only you')).toBeVisible()
      await shoot(page, 'book-hidden')
      await page.goto(`/books/${books[3]?.id}`)
      await expect(page.getByText('You have not reviewed')).toBeVisible()
      await shoot(page, 'book-empty')
      await page.goto(`/books/${books[0]?.id}/review`)
      await expect(page.getByRole('toolbar')).toBeVisible()
      await shoot(page, 'editor-filled')
      await page.getByRole('button', { name: 'Link' }).click()
      await shoot(page, 'editor-link')
      await page.keyboard.press('Escape')
      await page.goto(`/books/${books[3]?.id}/review`)
      await page.getByRole('button', { name: 'Save the review' }).click()
      await expect(page.getByText('Choose one to five stars.')).toBeVisible()
      await shoot(page, 'editor-errors')
      await page.goto(`/people/${bob.username}`)
      await expect(page.getByRole('button', { name: /^Stop following/ })).toBeVisible()
      await shoot(page, 'person')
      await page.getByRole('button', { name: 'Block' }).click()
      await shoot(page, 'person-block')
      await page.goto(`/people/${ada.username}`)
      await shoot(page, 'person-own')
      await page.goto('/people/nobody_at_all')
      await shoot(page, 'person-hidden')
    })

    test('settings', async ({ page, request }) => {
      const { ada } = await community(request)
      const cy = await enlist(request)
      const [adas, cys] = [await callsOf(request, ada), await callsOf(request, cy)]
      await signIn(page, ada)
      await page.goto('/settings/profile')
      await expect(page.getByLabel('A few words')).toBeVisible()
      await shoot(page, 'settings-profile')
      await page
        .locator('input[type=file]')
        .setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: await picture(page, 900, 600) })
      await expect(page.getByRole('application')).toBeVisible()
      await shoot(page, 'settings-crop')
      await page.keyboard.press('Escape')
      await page.goto('/settings/notifications')
      await expect(page.getByRole('switch').first()).toBeVisible()
      await shoot(page, 'settings-notifications')
      await page.goto('/follow-requests')
      await shoot(page, 'requests-none')
      await page.goto('/settings/blocked')
      await shoot(page, 'blocked-none')
      await adas('PATCH', '/api/profile/', { profile_visibility: 'followers_only' })
      await cys('POST', `/api/profiles/${ada.username}/follow/`)
      await page.goto('/follow-requests')
      await expect(page.getByRole('button', { name: /^Let/ })).toBeVisible()
      await shoot(page, 'requests')
      await adas('POST', `/api/profiles/${cy.username}/block/`)
      await page.goto('/settings/blocked')
      await expect(page.getByRole('button', { name: /^Unblock/ })).toBeVisible()
      await shoot(page, 'blocked')
      await adas('DELETE', `/api/profiles/${cy.username}/block/`)
      await adas('PATCH', '/api/profile/', { profile_visibility: 'public' })
    })

    test('staff', async ({ page, request }) => {
      const { books } = await community(request)
      if (staff) await signIn(page, staff)
      await page.goto('/books')
      await expect(page.getByRole('link', { name: 'Add a book' })).toBeVisible()
      await shoot(page, 'staff-books')
      await page.goto('/books/new')
      await page.getByRole('button', { name: 'Add the book' }).click()
      await shoot(page, 'staff-new-book')
      await page.goto(`/books/${books[0]?.id}/edit`)
      await expect(page.getByLabel('Title')).toHaveValue('Middlemarch')
      await shoot(page, 'staff-edit-book')
      await page.goto(`/books/${books[0]?.id}`)
      await expect(page.getByRole('article').first()).toBeVisible()
      await shoot(page, 'staff-book')
    })

    test('loading and failing', async ({ page }) => {
      let isBroken = false
      await page.route('**/api/books/**', async (route) => {
        if (isBroken) return route.fulfill({ status: 500, json: { detail: 'x', code: 'error' } })
        await new Promise((resolve) => setTimeout(resolve, 60_000))
        await route.abort().catch(() => undefined)
      })
      await page.goto('/books')
      await expect(page.getByRole('heading', { name: 'Books' })).toBeVisible()
      await page.waitForTimeout(400)
      await page.screenshot({ path: `screenshots/${look.name}-community-books-loading.png` })
      isBroken = true
      await page.reload()
      await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible()
      await shoot(page, 'books-failed')
    })
  })
}
