import type { Page } from '@playwright/test'
import { expect, type Person, signIn } from './fixtures'
import { type Book, block, callsOf, enlist, follow, makeBook, staffCalls, writeReview } from './people'
import { drawn, uploadPicture } from './picture'
import { testWithServer } from './server'

const test = testWithServer({})

test('two people follow each other and review a book; a third whom they blocked sees none of it', async ({
  page: adas,
  newPage,
  request,
  server,
}) => {
  test.setTimeout(180_000)
  const book = await makeBook(await staffCalls(request, server))
  const [ada, bob, cy] = [await enlist(request), await enlist(request), await enlist(request)]
  const [bobs, cys] = [await newPage(), await newPage()]
  await signIn(adas, ada)
  await signIn(bobs, bob)
  await signIn(cys, cy)

  await follow(adas, bob)
  await follow(bobs, ada)
  await uploadPicture(adas)
  await uploadPicture(bobs)
  await writeReview(adas, book, 'Reader, I loved it', '5 stars')
  await writeReview(bobs, book, 'Good, but long', '3 stars')
  await expect(bobs.getByText('2 reviews')).toBeVisible()
  await expect(bobs.getByRole('img', { name: '4.0 of 5 stars' })).toBeVisible()
  await seesPicture(bobs, await callsOf(request, ada), ada)

  await seesBoth(cys, book, [ada, bob])
  // Cy follows Ada before: a block ends that, too.
  await cys.goto(`/people/${ada.username}`)
  await cys.getByRole('button', { name: `Follow ${ada.username}` }).click()
  await expect(cys.getByText('2 followers')).toBeVisible()
  for (const page of [adas, bobs]) await block(page, cy)

  await seesNothing(cys, book, [ada, bob])
  const calls = await callsOf(request, cy)
  for (const query of [`book=${book.id}`, `user=${ada.username}`, `user=${bob.username}`, 'search=loved']) {
    const answer = await calls<{ count: number; results: object[] }>('GET', `/api/reviews/?${query}`)
    expect(answer, query).toMatchObject({ count: 0, results: [] })
  }
  await adas.goto(`/people/${cy.username}`)
  await expect(adas.getByRole('heading', { name: 'Page not found' })).toBeVisible()
  await adas.goto(`/people/${bob.username}`)
  await expect(adas.getByText('1 follower', { exact: true })).toBeVisible()

  await adas.goto('/settings/blocked')
  await adas.getByRole('button', { name: `Unblock ${cy.username}` }).click()
  await expect(adas.getByText('Nobody is blocked')).toBeVisible()
  await cys.goto(`/books/${book.id}`)
  await expect(cys.getByText('1 review', { exact: true })).toBeVisible()
})

/** The file that the server has stored is what the other's browser shows beside the review. */
async function seesPicture(page: Page, owner: Awaited<ReturnType<typeof callsOf>>, { username }: Person) {
  const { avatar_url } = await owner<{ avatar_url: string }>('GET', '/api/profile/')
  const article = page.getByRole('article').filter({ hasText: username })
  const image = article.locator('img').first()
  await expect(image).toHaveAttribute('src', avatar_url)
  const stored = await page.request.get(avatar_url)
  expect([...(await stored.body()).subarray(0, 3)]).toEqual([0xff, 0xd8, 0xff])
  const { side, colours } = await drawn(image)
  // The part that was chosen, as large as it is: nothing is enlarged.
  expect(side).toBe(457)
  // Sky above, the meadow below, as they stood in the part that was chosen.
  for (const [place, colour] of [
    [0, [0x7d, 0xb9, 0xc4]],
    [2, [0x2a, 0x6f, 0x63]],
    [3, [0x2a, 0x6f, 0x63]],
  ] as const) {
    const distance = Math.hypot(...colour.map((part, index) => part - (colours[place]?.[index] ?? 999)))
    expect(distance, `${colours[place]} is not ${colour}`).toBeLessThan(24)
  }
}

async function seesBoth(page: Page, book: Book, people: Person[]): Promise<void> {
  await page.goto(`/books/${book.id}`)
  await expect(page.getByText('2 reviews')).toBeVisible()
  await page.goto('/home')
  for (const { username } of people) {
    await expect(page.getByRole('main').getByRole('link', { name: username }).first()).toBeVisible()
  }
}

async function seesNothing(page: Page, book: Book, people: Person[]): Promise<void> {
  await page.goto(`/books/${book.id}`)
  await expect(page.getByText('No ratings yet')).toBeVisible()
  await expect(page.getByText('Nobody has reviewed this book yet')).toBeVisible()
  await page.goto(`/books?search=${encodeURIComponent(book.title)}`)
  await expect(page.getByRole('article')).toContainText('No ratings yet')
  await page.goto('/home')
  await expect(page.getByText('No reviews yet')).toBeVisible()
  for (const { username } of people) {
    await expect(page.getByText(username)).toHaveCount(0)
    await page.goto(`/people/${username}`)
    await expect(page.getByRole('heading', { name: 'Page not found' })).toBeVisible()
  }
}
