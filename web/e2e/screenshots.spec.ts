import { mkdirSync } from 'node:fs'
import type { Page } from '@playwright/test'
import {
  openCommunity,
  tourOfFailures,
  tourOfReaders,
  tourOfRequests,
  tourOfRooms,
  tourOfSearch,
  tourOfSettings,
  tourOfStaff,
  tourOfTroubledRooms,
  tourOfVisitors,
} from './community-tour'
import { expect, findings } from './fixtures'
import { testWithServer } from './server'
import { type Look, tourOfAccount, tourOfForms, tourOfGuests, tourOfMailbox } from './tour'

const FOLDER = 'screenshots'
const LOOKS = [
  { name: 'light', colorScheme: 'light', width: 1280, height: 820 },
  { name: 'dark', colorScheme: 'dark', width: 1280, height: 820 },
  { name: 'phone', colorScheme: 'light', width: 390, height: 844 },
  { name: 'phone-dark', colorScheme: 'dark', width: 390, height: 844 },
] as const

const test = testWithServer({}).extend<{ look: Look }>({
  look: async ({ page }, use, info) => {
    const folder = `${FOLDER}/${info.titlePath[1]}`
    mkdirSync(folder, { recursive: true })
    await use(async (name) => {
      await page.waitForLoadState('networkidle')
      await page.waitForTimeout(300)
      await picture(page, `${folder}/${name}.png`)
      expect(await findings(page), name).toEqual([])
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
      expect(overflow, `${name} is wider than the screen`).toBeLessThanOrEqual(0)
    })
  },
})

for (const { name, colorScheme, width, height } of LOOKS) {
  test.describe(name, () => {
    test.setTimeout(300_000)
    test.use({ colorScheme, viewport: { width, height } })

    test('pictures of the mailbox', ({ page, look }) => tourOfMailbox(page, look))
    test('pictures of the pages for guests', ({ page, look }) => tourOfGuests(page, look))
    test('pictures of forms that are filled', ({ page, look }) => tourOfForms(page, look))
    test('pictures of the account', ({ page, browser, baseURL, look }) =>
      tourOfAccount(page, browser, baseURL ?? '', look))

    test.describe('pictures of the community', () => {
      test.beforeEach(({ page, request, server }) => openCommunity(page, request, server))

      test('for visitors', ({ page, request, look }) => tourOfVisitors(page, request, look))
      test('for readers', ({ page, request, look }) => tourOfReaders(page, request, look))
      test('in rooms', ({ page, request, look }) => tourOfRooms(page, request, look))
      test('in rooms in trouble', ({ page, request, look }) => tourOfTroubledRooms(page, request, look))
      test('in the search', ({ page, request, look }) => tourOfSearch(page, request, look))
      test('in the settings', ({ page, newPage, look }) => tourOfSettings(page, newPage, look))
      test('in requests and blocks', ({ page, look }) => tourOfRequests(page, look))
      test('for staff', ({ page, request, look }) => tourOfStaff(page, request, look))
      test('when lists fail and mails are turned off', ({ page, request, look }) =>
        tourOfFailures(page, request, look))
    })
  })
}

/** The whole page, as on a screen that holds it: bars stand at its edges, and what comes late is there. */
async function picture(page: Page, path: string): Promise<void> {
  const screen = page.viewportSize()
  const needed = await page.evaluate(() => document.documentElement.scrollHeight)
  const isDialog = (await page.getByRole('dialog').count()) > 0
  if (screen && needed > screen.height && !isDialog) {
    await page.setViewportSize({ ...screen, height: needed })
    await page.waitForLoadState('networkidle')
  }
  await page.screenshot({ path, animations: 'disabled' })
  if (screen) await page.setViewportSize(screen)
}
