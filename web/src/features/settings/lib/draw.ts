import { type Crop, sideOf } from './crop'

/** Of the picture that is sent, in pixels. */
const SIDE = 512
const QUALITY = 0.92

/** Draws the square so that it fills the canvas. */
export function draw(canvas: HTMLCanvasElement, image: ImageBitmap, crop: Crop): void {
  const context = canvas.getContext('2d')
  const side = sideOf(crop, image)
  if (!context) return
  context.imageSmoothingQuality = 'high'
  context.clearRect(0, 0, canvas.width, canvas.height)
  const [left, top] = [crop.x - side / 2, crop.y - side / 2]
  context.drawImage(image, left, top, side, side, 0, 0, canvas.width, canvas.height)
}

/** The square as a file: WebP, or PNG where the browser cannot write that. */
export function cut(image: ImageBitmap, crop: Crop): Promise<Blob | null> {
  const canvas = document.createElement('canvas')
  const side = Math.min(SIDE, Math.round(sideOf(crop, image)))
  canvas.width = side
  canvas.height = side
  draw(canvas, image, crop)
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/webp', QUALITY))
}
