import { expect, test } from 'vitest'
import { hashOf } from './text-hash'

test('a text keeps its number, and texts are spread over all of them', () => {
  expect(hashOf('Middlemarch', 8)).toBe(hashOf('Middlemarch', 8))
  const counts = Array.from({ length: 8 }, () => 0)
  for (let index = 0; index < 800; index += 1) {
    const hash = hashOf(`reader_${index}`, 8)
    counts[hash] = (counts[hash] ?? 0) + 1
  }
  expect(Math.min(...counts)).toBeGreaterThan(50)
})
