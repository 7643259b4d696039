import type { Page } from '@playwright/test'

/** A PNG of some size, drawn in the browser. */
export async function picture(page: Page, width: number, height: number): Promise<Buffer> {
  const url = await page.evaluate(
    ([across, down]) => {
      const canvas = document.createElement('canvas')
      canvas.width = across
      canvas.height = down
      const context = canvas.getContext('2d')
      if (!context) return ''
      const paint = (color: string, x: number, y: number, w: number, h: number) => {
        context.fillStyle = color
        context.fillRect(x, y, w, h)
      }
      paint('#7db9c4', 0, 0, across, down)
      paint('#e9c46a', across * 0.55, down * 0.15, across * 0.18, across * 0.18)
      paint('#2a6f63', 0, down * 0.6, across, down * 0.4)
      paint('#264653', across * 0.2, down * 0.35, across * 0.25, down * 0.4)
      return canvas.toDataURL('image/png')
    },
    [width, height] as const,
  )
  return Buffer.from(url.split(',')[1] ?? '', 'base64')
}
