import { expect, test } from 'vitest'
import { MAX_ZOOM, middleOf, moved, sideOf, zoomed } from './crop'

const wide = { width: 400, height: 200 }

test('it begins with the largest square in the middle', () => {
  const crop = middleOf(wide)
  expect(crop).toEqual({ x: 200, y: 100, zoom: 1 })
  expect(sideOf(crop, wide)).toBe(200)
})

test('the square never leaves the picture', () => {
  expect(moved(middleOf(wide), wide, 1000, 1000)).toEqual({ x: 300, y: 100, zoom: 1 })
  const corner = moved(zoomed(middleOf(wide), wide, 2), wide, -1000, -1000)
  expect(corner).toEqual({ x: 50, y: 50, zoom: 2 })
  // Getting smaller again pushes it back inside.
  expect(zoomed(corner, wide, 1)).toEqual({ x: 100, y: 100, zoom: 1 })
})

test('the size has limits', () => {
  expect(zoomed(middleOf(wide), wide, 99).zoom).toBe(MAX_ZOOM)
  expect(zoomed(middleOf(wide), wide, 0).zoom).toBe(1)
})
