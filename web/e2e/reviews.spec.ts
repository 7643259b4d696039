import { expect, signIn } from './fixtures'
import { callsOf, enlist, makeBook, staffCalls, writeReview } from './people'
import { testWithServer } from './server'

const test = testWithServer({})

test('a review is changed, hidden and deleted by its owner', async ({ page, request, server }) => {
  const book = await makeBook(await staffCalls(request, server), 'Emma')
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

test('the editor begins with what is stored, and what it shows is what is stored', async ({
  page,
  request,
  server,
}) => {
  const book = await makeBook(await staffCalls(request, server), 'Shirley')
  const ada = await enlist(request)
  const calls = await callsOf(request, ada)
  const review_text =
    '<p>One <strong>two</strong> <em>three</em> <u>four</u><br>five</p><ol><li><p>six</p></li></ol>' +
    '<p><a href="https://example.com/" rel="nofollow ugc noopener">seven</a></p>'
  const stored = () =>
    calls<{ results: { review_text: string }[] }>('GET', `/api/reviews/?user=${ada.username}`)
  await calls('POST', '/api/reviews/', { book: book.id, title: 'Long', rating: 4, review_text })
  const [before] = (await stored()).results
  await signIn(page, ada)
  await page.goto(`/books/${book.id}/review`)
  const text = page.getByRole('textbox', { name: 'Review' })
  for (const tag of ['strong', 'em', 'u', 'br', 'ol > li', 'a[href="https://example.com/"]']) {
    await expect(text.locator(tag).first()).toBeAttached()
  }
  await page.getByLabel('Title').fill('Long, and good')
  await page.getByRole('button', { name: 'Save the review' }).click()
  await expect(page).toHaveURL(`/books/${book.id}`)
  const [after] = (await stored()).results
  expect(after?.review_text).toBe(before?.review_text)

  // What is typed comes back letter for letter, also what looks like markup.
  await page.goto(`/books/${book.id}/review`)
  await text.press('Control+End')
  await page.keyboard.press('Enter')
  await page.keyboard.type('1 < 2 && <script>alert(1)</script> &amp;')
  await page.getByRole('button', { name: 'Save the review' }).click()
  await expect(page.getByRole('article').getByText('1 < 2 && <script>alert(1)</script> &amp;')).toBeVisible()
})

test('a book takes one review of somebody, and says so', async ({ page, request, server }) => {
  const book = await makeBook(await staffCalls(request, server), 'Agnes Grey')
  const ada = await enlist(request)
  await signIn(page, ada)
  await page.goto(`/books/${book.id}/review`)
  await expect(page.getByRole('toolbar')).toBeVisible()
  // Meanwhile, in another tab.
  const body = { book: book.id, title: 'First', rating: 5, review_text: '<p>First.</p>' }
  await (await callsOf(request, ada))('POST', '/api/reviews/', body)
  await page.getByRole('radio', { name: '2 stars' }).check()
  await page.getByLabel('Title').fill('Second')
  await page.getByRole('textbox', { name: 'Review' }).fill('Second.')
  await page.getByRole('button', { name: 'Save the review' }).click()
  await expect(page.getByText('You have already reviewed this book.')).toBeVisible()
})

test.describe('hostile HTML', () => {
  test.use({ isHostile: true })

  test('what is pasted keeps what reviews may hold, and nothing else', async ({ page, request, server }) => {
    const book = await makeBook(await staffCalls(request, server), 'Persuasion')
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
})
