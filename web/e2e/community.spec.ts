import type { Page } from '@playwright/test'
import { expect, type Person, signIn, somebody, test } from './fixtures'
import { type Calls, callsOf, enlist, superuser } from './people'
import { picture } from './picture'

interface Book {
  id: number
  title: string
}

/** A book that no other test knows. */
async function makeBook(staff: Calls, name = 'Jane Eyre'): Promise<Book> {
  const title = `${name} ${somebody().username}`
  return staff('POST', '/api/books/', { title, author: 'Charlotte Brontë', year: 1847 })
}

async function writeReview(page: Page, book: Book, title: string, stars: string): Promise<void> {
  await page.goto(`/books/${book.id}`)
  await page.getByRole('link', { name: 'Write a review' }).click()
  await expect(page.getByRole('heading', { name: 'Write a review' })).toBeFocused()
  await page.getByRole('radio', { name: stars }).check()
  await page.getByLabel('Title').fill(title)
  const text = page.getByRole('textbox', { name: 'Review' })
  await text.click()
  await page.getByRole('button', { name: 'Bold' }).click()
  await page.keyboard.type('Strong')
  await page.getByRole('button', { name: 'Bold' }).click()
  await page.keyboard.type(' words.')
  await page.keyboard.press('Enter')
  await page.keyboard.type('- first')
  await page.keyboard.press('Enter')
  await page.keyboard.type('second')
  await page.getByRole('button', { name: 'Save the review' }).click()
  await expect(page).toHaveURL(`/books/${book.id}`)
  const own = page.getByRole('region', { name: 'Your review' })
  await expect(own.getByRole('heading', { name: title })).toBeVisible()
  await expect(own.locator('strong', { hasText: 'Strong' })).toBeVisible()
  await expect(own.getByRole('listitem').filter({ hasText: 'second' })).toBeVisible()
}

async function follow(page: Page, other: Person): Promise<void> {
  await page.goto(`/people/${other.username}`)
  await page.getByRole('button', { name: `Follow ${other.username}` }).click()
  await expect(page.getByRole('button', { name: `Stop following ${other.username}` })).toBeVisible()
  await expect(page.getByText('1 follower')).toBeVisible()
}

async function uploadAvatar(page: Page): Promise<void> {
  await page.goto('/settings/profile')
  await page.locator('input[type=file]').setInputFiles({
    name: 'me.png',
    mimeType: 'image/png',
    buffer: await picture(page, 640, 480),
  })
  await page.getByRole('application').press('ArrowRight')
  await page.getByRole('slider', { name: 'Size' }).press('ArrowRight')
  await page.getByRole('button', { name: 'Use this part' }).click()
  await expect(page.getByText('Your picture is saved.')).toBeVisible()
  await expect(page.locator('main img')).toBeVisible()
}

test('two people follow each other and review a book; a third whom they blocked sees none of it', async ({
  page: adas,
  newPage,
  request,
}) => {
  test.setTimeout(180_000)
  const staff = await callsOf(request, superuser())
  const book = await makeBook(staff)
  const [ada, bob, cy] = [await enlist(request), await enlist(request), await enlist(request)]
  const [bobs, cys] = [await newPage(), await newPage()]
  await signIn(adas, ada)
  await signIn(bobs, bob)
  await signIn(cys, cy)

  await follow(adas, bob)
  await follow(bobs, ada)
  await writeReview(adas, book, 'Reader, I loved it', '5 stars')
  await writeReview(bobs, book, 'Good, but long', '3 stars')
  await expect(bobs.getByText('2 reviews')).toBeVisible()
  await expect(bobs.getByRole('img', { name: '4.0 of 5 stars' })).toBeVisible()
  await expect(bobs.getByRole('heading', { name: 'Reader, I loved it' })).toBeVisible()

  const hasAvatars = (await request.patch('/api/profile/avatar/')).status() !== 404
  if (hasAvatars) {
    await uploadAvatar(adas)
    await uploadAvatar(bobs)
    await adas.goto(`/people/${bob.username}`)
    await expect(adas.locator('main img')).toHaveJSProperty('complete', true)
  }

  await cys.goto(`/books/${book.id}`)
  await expect(cys.getByText('2 reviews')).toBeVisible()
  for (const page of [adas, bobs]) {
    await page.goto(`/people/${cy.username}`)
    await page.getByRole('button', { name: 'Block' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Block' }).click()
    await expect(page).toHaveURL('/settings/blocked')
    await expect(page.getByRole('main').getByText(cy.username, { exact: true })).toBeVisible()
  }

  await cys.goto(`/books/${book.id}`)
  await expect(cys.getByText('No ratings yet')).toBeVisible()
  await expect(cys.getByText('Nobody has reviewed this book yet')).toBeVisible()
  await cys.goto(`/books?search=${encodeURIComponent(book.title)}`)
  await expect(cys.getByRole('article')).toContainText('No ratings yet')
  await cys.goto('/home')
  await expect(cys.getByRole('heading', { name: 'Hello' })).toBeVisible()
  await expect(cys.getByText(ada.username)).toHaveCount(0)
  for (const { username } of [ada, bob]) {
    await cys.goto(`/people/${username}`)
    await expect(cys.getByRole('heading', { name: 'Page not found' })).toBeVisible()
  }
  await adas.goto(`/people/${cy.username}`)
  await expect(adas.getByRole('heading', { name: 'Page not found' })).toBeVisible()

  await adas.goto('/settings/blocked')
  await adas.getByRole('button', { name: `Unblock ${cy.username}` }).click()
  await expect(adas.getByText('Nobody is blocked')).toBeVisible()
  await cys.goto(`/books/${book.id}`)
  await expect(cys.getByText('1 review', { exact: true })).toBeVisible()
})

test('whoever shows their page to followers is asked first', async ({ page: adas, newPage, request }) => {
  test.setTimeout(120_000)
  const [ada, bob] = [await enlist(request), await enlist(request)]
  const bobs = await newPage()
  await signIn(adas, ada)
  await adas.goto('/settings/profile')
  await adas.getByLabel('A few words').fill('I count.')
  await expect(adas.getByText('492 characters left')).toBeVisible()
  await adas.getByRole('button', { name: 'Save' }).click()
  await adas.getByRole('radio', { name: 'Followers' }).check()
  await expect(adas.getByText('Your profile is saved.').last()).toBeVisible()

  await signIn(bobs, bob)
  await bobs.goto(`/people/${ada.username}`)
  await expect(bobs.getByRole('heading', { name: 'Page not found' })).toBeVisible()
  await bobs.getByRole('button', { name: 'Ask to follow' }).click()
  await expect(bobs.getByText(`${ada.username} has been asked.`)).toBeVisible()

  await adas.goto('/follow-requests')
  await adas.getByRole('button', { name: `Let ${bob.username} follow you` }).click()
  await expect(adas.getByText('No open requests')).toBeVisible()
  await bobs.reload()
  await expect(bobs.getByText('I count.')).toBeVisible()
  await bobs.getByRole('button', { name: `Stop following ${ada.username}` }).click()
  await expect(bobs.getByRole('heading', { name: 'Page not found' })).toBeVisible()
})

test('a visitor reads, and comes back to where signing in was offered', async ({ page, request }) => {
  const staff = await callsOf(request, superuser())
  const book = await makeBook(staff, 'Middlemarch')
  const ada = await enlist(request)
  await (await callsOf(request, ada))('POST', '/api/reviews/', {
    book: book.id,
    title: 'A whole town',
    review_text: '<p>Read <a href="https://example.com/">this</a>.</p>',
    rating: 5,
  })
  await page.goto('/home')
  await expect(page.getByRole('heading', { name: 'A whole town' }).first()).toBeVisible()
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

test('a review is changed, hidden and deleted by its owner', async ({ page, request }) => {
  const staff = await callsOf(request, superuser())
  const book = await makeBook(staff, 'Emma')
  const ada = await enlist(request)
  await signIn(page, ada)
  await writeReview(page, book, 'Clever', '4 stars')
  await page.getByRole('link', { name: 'Edit', exact: true }).click()
  await expect(page.getByLabel('Title')).toHaveValue('Clever')
  await expect(page.getByRole('radio', { name: '4 stars' })).toBeChecked()
  await page.getByRole('radio', { name: '4 stars' }).press('ArrowLeft')
  await page.getByRole('switch', { name: 'Show to others' }).uncheck()
  await page.getByRole('link', { name: 'Home' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Stay' }).click()
  await page.getByRole('button', { name: 'Save the review' }).click()
  await expect(page.getByText('only you', { exact: true })).toBeVisible()
  await expect(page.getByRole('img', { name: '3 of 5 stars' })).toBeVisible()
  await page.getByRole('button', { name: `Delete the review of ${ada.username}` }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await expect(page.getByRole('link', { name: 'Write a review' })).toBeVisible()
})

test.describe('hostile HTML', () => {
  test.use({ isHostile: true })

  test('what is pasted keeps what reviews may hold, and nothing else', async ({ page, request }) => {
    const staff = await callsOf(request, superuser())
    const book = await makeBook(staff, 'Persuasion')
    await signIn(page, await enlist(request))
    await page.goto(`/books/${book.id}/review`)
    const text = page.getByRole('textbox', { name: 'Review' })
    await text.click()
    await text.evaluate((element) => {
      const data = new DataTransfer()
      data.setData(
        'text/html',
        '<h1 onclick="x()">Head</h1><p style="color:red"><b>bold</b> <a href="javascript:x()">bad</a> ' +
          '<a href="https://example.com/">good</a></p><img src=x onerror="document.title=1"><ul><li>one</li></ul>',
      )
      element.dispatchEvent(
        new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }),
      )
    })
    await expect(text.getByRole('link', { name: 'good' })).toBeVisible()
    await expect(text.getByRole('link', { name: 'bad' })).toHaveCount(0)
    await expect(text.getByRole('listitem')).toHaveText('one')
    await expect(text.locator('img, h1, [style], [onclick]')).toHaveCount(0)
  })

  test('HTML of others cannot act, even if a server sent it', async ({ page, request }) => {
    const hostile = '<p>before<img src=x onerror="document.title=1"><script>document.title=2</script></p>'
    const links = '<a href="javascript:document.title=3">bad</a> <a href="https://example.com/">good</a>'
    const review = {
      id: 1,
      book: 1,
      user: 'mallory',
      title: '<b>plain</b>',
      review_text: `${hostile}${links}<iframe src="/"></iframe><p style="position:fixed" class="x">after</p>`,
      rating: 1,
      is_public: true,
      created_at: '2026-01-01T00:00:00Z',
      updated_at: '2026-01-01T00:00:00Z',
    }
    await request.get('/readyz')
    await page.route('**/api/reviews/**', (route) =>
      route.fulfill({ json: { count: 1, next: null, previous: null, results: [review] } }),
    )
    await page.goto('/home')
    const card = page.getByRole('article')
    await expect(card.getByRole('heading')).toHaveText('<b>plain</b>')
    await expect(card.getByText('after')).toBeVisible()
    await expect(card.locator('img, script, iframe, [style], [onerror]')).toHaveCount(0)
    await expect(card.getByText('bad')).not.toHaveAttribute('href')
    await expect(card.getByRole('link', { name: 'good' })).toHaveAttribute('href', 'https://example.com/')
    await expect(page).toHaveTitle(/^Home/)
  })
})

test('staff add, change and delete a book; others find no such page', async ({ page, newPage, request }) => {
  const title = `Villette ${somebody().username}`
  const boss = superuser()
  await signIn(page, boss)
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

test('a mail that is not wanted is turned off', async ({ page, request }) => {
  await signIn(page, await enlist(request))
  await page.goto('/settings/notifications')
  const toggle = page.getByRole('switch', { name: 'Somebody follows me' })
  await expect(toggle).toBeChecked()
  const answered = page.waitForResponse((response) => response.request().method() === 'PATCH')
  await toggle.press('Space')
  await answered
  await page.reload()
  await expect(toggle).not.toBeChecked()
})

test('only pictures of a fair size are taken', async ({ page, request }) => {
  await signIn(page, await enlist(request))
  await page.goto('/settings/profile')
  const choose = (buffer: Buffer) =>
    page.locator('input[type=file]').setInputFiles({ name: 'me.png', mimeType: 'image/png', buffer })
  await choose(Buffer.from('<svg/>'))
  await expect(page.getByText('This is not a JPEG, PNG or WebP picture.')).toBeVisible()
  await choose(Buffer.alloc(5 * 1024 * 1024 + 1, 'x'))
  await expect(page.getByText('The file is too large: at most 5 MB.')).toBeVisible()
  await choose(Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(64)]))
  await expect(page.getByText('The picture cannot be read.')).toBeVisible()
  await choose(await picture(page, 200, 300))
  await expect(page.getByRole('dialog')).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toBeHidden()
})

test('on an account server alone there is no community', async ({ page, request }) => {
  await page.route('**/*', async (route) => {
    if (route.request().resourceType() !== 'document') return route.fallback()
    const response = await route.fetch()
    const body = (await response.text()).replace(/(name="community" content=")[^"]*/, '$1false')
    await route.fulfill({ response, body })
  })
  await page.goto('/books')
  await expect(page.getByRole('heading', { name: 'Page not found' })).toBeVisible()
  await signIn(page, await enlist(request))
  await expect(page).toHaveURL('/account')
  await expect(page.getByRole('link', { name: 'Books' })).toHaveCount(0)
})
