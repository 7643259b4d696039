import type { Locator, Page } from '@playwright/test'
import { expect } from './fixtures'

/** A PNG of some size, drawn in the browser; by night it is another. */
export async function picture(page: Page, width: number, height: number, isNight = false): Promise<Buffer> {
  const url = await page.evaluate(
    ([across, down, night]) => {
      const canvas = document.createElement('canvas')
      canvas.width = across
      canvas.height = down
      const context = canvas.getContext('2d')
      if (!context) return ''
      const paint = (color: string, x: number, y: number, w: number, h: number) => {
        context.fillStyle = color
        context.fillRect(x, y, w, h)
      }
      paint(night ? '#2b2d5b' : '#7db9c4', 0, 0, across, down)
      paint(night ? '#f4e3b2' : '#e9c46a', across * 0.55, down * 0.15, across * 0.18, across * 0.18)
      paint(night ? '#1d3557' : '#2a6f63', 0, down * 0.6, across, down * 0.4)
      paint(night ? '#6d597a' : '#264653', across * 0.2, down * 0.35, across * 0.25, down * 0.4)
      return canvas.toDataURL('image/png')
    },
    [width, height, isNight] as const,
  )
  return Buffer.from(url.split(',')[1] ?? '', 'base64')
}

/** Chooses a picture in the settings, moves and widens the part that is shown, and sends it. */
export async function uploadPicture(page: Page): Promise<void> {
  await page.goto('/settings/profile')
  const buffer = await picture(page, 640, 480)
  await page.locator('input[type=file]').setInputFiles({ name: 'me.png', mimeType: 'image/png', buffer })
  await page.getByRole('application').press('ArrowRight')
  await page.getByRole('slider', { name: 'Size' }).press('ArrowRight')
  await page.getByRole('button', { name: 'Use this part' }).click()
  await expect(page.getByText('Your picture is saved.')).toBeVisible()
}

/** What the browser has drawn of an image: its size, and the colours of four places. */
export function drawn(image: Locator): Promise<{ side: number; colours: number[][] }> {
  return image.evaluate(async (element: HTMLImageElement) => {
    await element.decode()
    const { naturalWidth: side, naturalHeight } = element
    if (side !== naturalHeight) throw new Error(`${side} × ${naturalHeight} is no square`)
    const canvas = new OffscreenCanvas(side, side)
    const context = canvas.getContext('2d')
    context?.drawImage(element, 0, 0)
    const places = [
      [0.05, 0.05],
      [0.95, 0.05],
      [0.05, 0.95],
      [0.95, 0.95],
    ] as const
    const colours = places.map(([x, y]) => [...(context?.getImageData(x * side, y * side, 1, 1).data ?? [])])
    return { side, colours }
  })
}
