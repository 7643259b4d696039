import { mkdirSync } from 'node:fs'
import type { Page } from '@playwright/test'
import { expect, findings } from './fixtures'

const FOLDER = 'screenshots'

/** Ways in which every page is looked at. */
export const LOOKS = [
  { name: 'light', colorScheme: 'light', width: 1280, height: 820 },
  { name: 'dark', colorScheme: 'dark', width: 1280, height: 820 },
  { name: 'phone', colorScheme: 'light', width: 390, height: 844 },
  { name: 'phone-dark', colorScheme: 'dark', width: 390, height: 844 },
] as const

/** Takes a picture of a page that axe finds nothing in and that is no wider than the screen. */
export async function shootIn(look: (typeof LOOKS)[number], page: Page, name: string): Promise<void> {
  mkdirSync(FOLDER, { recursive: true })
  await page.waitForLoadState('networkidle')
  await page.waitForTimeout(300)
  expect(await findings(page), name).toEqual([])
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  expect(overflow, `${name} is wider than the screen`).toBeLessThanOrEqual(0)
  await page.screenshot({
    path: `${FOLDER}/${look.name}-${name}.png`,
    fullPage: true,
    animations: 'disabled',
  })
}
