import { readFileSync } from 'node:fs'
import type { BrowserContext, Page } from '@playwright/test'
import { expect } from './fixtures'
import { type Calls, callsOf, enlist, staffCalls } from './people'
import { testWithServer } from './server'

const CORPORA = ['bleach', 'dompurify'].map((name) => `../crates/security/src/sanitize/testdata/${name}.json`)
const ALLOWED = ['P', 'BR', 'STRONG', 'EM', 'U', 'A', 'UL', 'OL', 'LI']
const test = testWithServer({})

interface Stored {
  id: number
  review_text: string
}

/** Stores each text of the corpora as a review of its own. */
async function storeAll(staff: Calls, writer: Calls): Promise<Stored[]> {
  const hostile = CORPORA.flatMap((path) => JSON.parse(readFileSync(path, 'utf8')) as string[])
  const stored: Stored[] = []
  const store = async (dirty: string, place: number) => {
    const book = await staff<{ id: number }>('POST', '/api/books/', {
      title: `Hostile ${place}`,
      author: 'Mallory',
    })
    // Words around it, so that something is left of all of them.
    const review_text = `<p>before</p>${dirty}<p>after</p>`
    const body = { book: book.id, title: `${place} ${dirty.slice(0, 190)}`, rating: 1, review_text }
    stored.push(await writer<Stored>('POST', '/api/reviews/', body))
  }
  for (let start = 0; start < hostile.length; start += 20) {
    await Promise.all(hostile.slice(start, start + 20).map((dirty, index) => store(dirty, start + index)))
  }
  expect(stored.length).toBe(hostile.length)
  expect(stored.length).toBeGreaterThan(240)
  return stored
}

/** What has run, been asked for or been sent to others; it stays empty. */
async function listen(context: BrowserContext, origin: string): Promise<string[]> {
  const harm: string[] = []
  await context.exposeFunction('reportHarm', (what: string) => harm.push(what))
  await context.addInitScript(() => {
    const report = (what: string) => (window as never as { reportHarm(what: string): void }).reportHarm(what)
    for (const name of ['alert', 'confirm', 'prompt', 'print', 'open'] as const) {
      Object.assign(window, { [name]: () => report(name) })
    }
  })
  context.on('dialog', (dialog) => {
    harm.push(`dialog ${dialog.message()}`)
    void dialog.dismiss()
  })
  context.on('request', (request) => {
    const url = new URL(request.url())
    if (/^https?:$/.test(url.protocol) && url.origin !== origin) harm.push(`request ${request.url()}`)
    if (/^(javascript|vbscript):$/.test(url.protocol)) harm.push(request.url())
  })
  context.on('page', (page) => harm.push(`opened ${page.url()}`))
  return harm
}

test.describe
  .serial('the public corpora of hostile HTML, as the server stores them', () => {
    test.setTimeout(240_000)
    let stored: Stored[] = []
    let writer = ''

    test('act nowhere on the pages that show them', async ({ page, context, request, server, baseURL }) => {
      const mallory = await enlist(request)
      writer = mallory.username
      stored = await storeAll(await staffCalls(request, server), await callsOf(request, mallory))
      const harm = await listen(context, baseURL ?? '')
      await page.goto(`/people/${writer}`)
      const cards = page.getByRole('article')
      for (let shown = 0; shown < stored.length; ) {
        await expect.poll(() => cards.count()).toBeGreaterThan(shown)
        shown = await cards.count()
        if (shown < stored.length) await page.getByRole('button', { name: 'Show more' }).click()
      }
      await expect(cards).toHaveCount(stored.length)
      await expect(cards.getByText('before', { exact: true }).first()).toBeAttached()
      // Whatever waits for a pointer or the focus gets it.
      const types = ['mouseover', 'mouseenter', 'focus', 'pointerdown', 'animationstart', 'toggle']
      await cards.locator('*').evaluateAll((all, names) => {
        for (const one of all) for (const name of names) one.dispatchEvent(new Event(name))
      }, types)
      const strangers = await cards.evaluateAll((all, allowed) => {
        const texts = all.flatMap((card) => [...card.querySelectorAll('[data-clamp] *')])
        return texts.filter((element) => !allowed.includes(element.tagName)).map((one) => one.outerHTML)
      }, ALLOWED)
      expect(strangers).toEqual([])
      await page.waitForTimeout(500)
      expect(harm).toEqual([])
    })

    test('act nowhere even without our pages and their policy', async ({ browser, baseURL }) => {
      expect(stored.length).toBeGreaterThan(240)
      // No policy and no second cleaning: what the server's cleaning lets through would run.
      const context = await browser.newContext({ baseURL, bypassCSP: true })
      const harm = await listen(context, baseURL ?? '')
      const page = await context.newPage()
      harm.splice(0)
      await page.route('**/blank', (route) =>
        route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>x</title><body></body>' }),
      )
      await page.goto('/blank')
      const before = await globals(page)
      // The check itself finds what runs.
      await page.evaluate(() => {
        document.body.innerHTML = '<img src="x:" onerror="alert(1)">'
      })
      await expect.poll(() => harm).toEqual(['alert'])
      harm.splice(0)
      for (const { review_text } of stored) {
        const problems = await page.evaluate(
          ([html, allowed]) => {
            const box = document.createElement('div')
            document.body.replaceChildren(box)
            box.innerHTML = html
            const range = document.createRange()
            range.selectNodeContents(document.body)
            document.body.append(range.createContextualFragment(html))
            for (const type of ['mouseover', 'focus', 'click', 'toggle', 'animationstart']) {
              for (const one of document.body.querySelectorAll('*')) {
                one.addEventListener('click', (event) => event.preventDefault(), { once: true })
                one.dispatchEvent(new Event(type, { bubbles: true, cancelable: true }))
              }
            }
            const elements = [...document.body.querySelectorAll('div *')]
            const strangers = elements.filter(({ tagName }) => !allowed.includes(tagName))
            const attributes = elements.flatMap(({ attributes: all }) => [...all].map(({ name }) => name))
            return [
              ...strangers.map((one) => one.outerHTML),
              ...attributes.filter((name) => !['href', 'title', 'rel'].includes(name)),
            ]
          },
          [review_text, ALLOWED] as const,
        )
        expect(problems, review_text).toEqual([])
      }
      await page.waitForTimeout(500)
      expect(harm).toEqual([])
      expect(await globals(page)).toEqual(before)
      expect(page.url()).toBe(`${baseURL}/blank`)
      await context.close()
    })
  })

function globals(page: Page): Promise<string[]> {
  return page.evaluate(() => [...Object.keys(window), document.title])
}
