import { expect, signIn, somebody } from './fixtures'
import { callsOf, enlist, makeBook, staffCalls, superuser } from './people'
import { testWithServer } from './server'

const test = testWithServer({})

test('a visitor reads, and comes back to where signing in was offered', async ({ page, request, server }) => {
  const book = await makeBook(await staffCalls(request, server), 'Middlemarch')
  const ada = await enlist(request)
  await (await callsOf(request, ada))('POST', '/api/reviews/', {
    book: book.id,
    title: 'A whole town',
    review_text: '<p>Read <a href="https://example.com/">this</a>.</p>',
    rating: 5,
  })
  await page.goto('/home')
  await expect(page.getByRole('heading', { name: 'A whole town' }).first()).toBeVisible()
  await expect(page.getByRole('article').getByRole('link', { name: book.title })).toBeVisible()
  await page.getByRole('link', { name: 'Books', exact: true }).click()
  await page.getByLabel('Search by title or author').fill(book.title)
  await expect(page.getByText('1 book', { exact: true })).toBeVisible()
  await page.getByRole('link', { name: book.title }).click()
  await expect(page.getByRole('link', { name: 'this' })).toHaveAttribute('rel', 'nofollow ugc noopener')
  await page.getByRole('link', { name: 'Sign in to review' }).click()
  await page.getByLabel('Username or e-mail').fill(ada.username)
  await page.getByLabel('Password', { exact: true }).fill(ada.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await expect(page).toHaveURL(`/books/${book.id}`)
  await expect(page.getByRole('region', { name: 'Your review' })).toBeVisible()
})

test('books are found by words of title and author, and come in the order that is chosen', async ({
  page,
  request,
  server,
}) => {
  const staff = await staffCalls(request, server)
  const word = somebody().username.replaceAll('_', '')
  for (const [title, author, year] of [
    [`${word} Annals`, 'Zoë Zed', 1901],
    [`${word} Zenith`, 'Ann Abel', 1999],
  ] as const) {
    await staff('POST', '/api/books/', { title, author, year })
  }
  await page.goto('/books')
  await page.getByLabel('Search by title or author').fill(word)
  await expect(page.getByText('2 books', { exact: true })).toBeVisible()
  await expect(page.getByRole('article').first()).toContainText('Annals')
  await page.getByLabel('Order').selectOption({ label: 'Year, newest first' })
  await expect(page.getByRole('article').first()).toContainText('Zenith')
  await page.getByLabel('Search by title or author').fill(`${word} zo`)
  await expect(page.getByText('1 book', { exact: true })).toBeVisible()
  await expect(page).toHaveURL(/search=/)
  await page.reload()
  await expect(page.getByRole('article')).toHaveCount(1)
  // Without results, one calls for each book: none.
  const calls: string[] = []
  page.on('request', (sent) => calls.push(new URL(sent.url()).pathname))
  await page.goto('/home')
  await page.waitForLoadState('networkidle')
  expect(calls.filter((path) => /^\/api\/(books|profiles)\/./.test(path))).toEqual([])
})

test('staff add, change and delete a book; others find no such page', async ({
  page,
  newPage,
  request,
  server,
}) => {
  const title = `Villette ${somebody().username}`
  await signIn(page, superuser(server))
  await page.goto('/books')
  await page.getByRole('link', { name: 'Add a book' }).click()
  await page.getByLabel('Title').fill(title)
  await page.getByLabel('Author').fill('Charlotte Brontë')
  await page.getByLabel('Year').fill('1853')
  await page.getByRole('button', { name: 'Add the book' }).click()
  await expect(page.getByRole('heading', { name: title })).toBeFocused()
  await page.getByRole('link', { name: 'Edit the book' }).click()
  await page.getByLabel('Description').fill('A teacher in a foreign town.')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('A teacher in a foreign town.')).toBeVisible()
  const path = new URL(page.url()).pathname

  const adas = await newPage()
  await signIn(adas, await enlist(request))
  await adas.goto(`${path}/edit`)
  await expect(adas.getByRole('heading', { name: 'Page not found' })).toBeVisible()

  await page.getByRole('link', { name: 'Edit the book' }).click()
  await page.getByRole('button', { name: 'Delete the book' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete the book' }).click()
  await expect(page).toHaveURL('/books')
  await page.goto(path)
  await expect(page.getByRole('heading', { name: 'Page not found' })).toBeVisible()
})
