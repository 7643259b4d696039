/** A size in pixels. */
export interface Size {
  width: number
  height: number
}

/** The square that is cut out: where its middle is in the picture, and how much it is enlarged. */
export interface Crop {
  x: number
  y: number
  zoom: number
}

export const MAX_ZOOM = 4

/** The largest square in the middle. */
export function middleOf({ width, height }: Size): Crop {
  return { x: width / 2, y: height / 2, zoom: 1 }
}

/** How long a side of the square is, in pixels of the picture. */
export function sideOf(crop: Crop, { width, height }: Size): number {
  return Math.min(width, height) / crop.zoom
}

/** Moves the square by pixels of the picture; it never leaves it. */
export function moved(crop: Crop, size: Size, right: number, down: number): Crop {
  return inside({ ...crop, x: crop.x + right, y: crop.y + down }, size)
}

/** Enlarges around the middle of the square. */
export function zoomed(crop: Crop, size: Size, zoom: number): Crop {
  return inside({ ...crop, zoom: between(1, zoom, MAX_ZOOM) }, size)
}

function inside(crop: Crop, size: Size): Crop {
  const half = sideOf(crop, size) / 2
  return {
    ...crop,
    x: between(half, crop.x, size.width - half),
    y: between(half, crop.y, size.height - half),
  }
}

function between(least: number, value: number, most: number): number {
  return Math.min(Math.max(value, least), most)
}
