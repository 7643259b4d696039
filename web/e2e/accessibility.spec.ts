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

const test = testWithServer({}).extend<{ look: Look }>({
  look: async ({ page }, use) => {
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' })
    await use(async (name) => {
      await page.waitForLoadState('networkidle')
      expect(await findings(page), name).toEqual([])
      // Nothing but the colours differs in the dark.
      await page.emulateMedia({ colorScheme: 'dark' })
      expect(await findings(page, ['color-contrast']), `${name} in the dark`).toEqual([])
      await page.emulateMedia({ colorScheme: 'light' })
    })
  },
})
test.setTimeout(180_000)

test('axe finds nothing in the mailbox, light or dark', ({ page, look }) => tourOfMailbox(page, look))

test('axe finds nothing on the pages for guests, light or dark', ({ page, look }) => tourOfGuests(page, look))

test('axe finds nothing in forms that are filled, light or dark', ({ page, look }) => tourOfForms(page, look))

test('axe finds nothing in the account, light or dark', ({ page, browser, baseURL, look }) =>
  tourOfAccount(page, browser, baseURL ?? '', look))

test.describe('axe finds nothing in the community, light or dark', () => {
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
