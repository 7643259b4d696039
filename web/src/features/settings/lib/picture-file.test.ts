import { expect, test } from 'vitest'
import { faultOf, MAX_BYTES } from './picture-file'

const file = (start: number[], size = 64) => {
  const bytes = new Uint8Array(size)
  bytes.set(start)
  return new Blob([bytes])
}
const ascii = (text: string) => [...text].map((character) => character.charCodeAt(0))

const PNG = [0x89, ...ascii('PNG\r\n'), 0x1a, 0x0a]

test('JPEG, PNG and WebP are known by their first bytes', async () => {
  expect(await faultOf(file([0xff, 0xd8, 0xff, 0xe0]))).toBeUndefined()
  expect(await faultOf(file(PNG))).toBeUndefined()
  expect(await faultOf(file([...ascii('RIFF'), 1, 2, 3, 4, ...ascii('WEBP')]))).toBeUndefined()
})

test('nothing else is a picture, whatever it is called', async () => {
  expect(await faultOf(new File(['<svg/>'], 'a.png', { type: 'image/png' }))).toBe('wrongType')
  expect(await faultOf(file([...ascii('RIFF'), 1, 2, 3, 4, ...ascii('WAVE')]))).toBe('wrongType')
  expect(await faultOf(file(ascii('GIF89a')))).toBe('wrongType')
  expect(await faultOf(new Blob([]))).toBe('empty')
})

test('five megabytes pass, one byte more does not', async () => {
  expect(await faultOf(file(PNG, MAX_BYTES))).toBeUndefined()
  expect(await faultOf(file(PNG, MAX_BYTES + 1))).toBe('tooLarge')
})
