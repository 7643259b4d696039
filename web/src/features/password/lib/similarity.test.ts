import { expect, test } from 'vitest'
import { isSimilar } from './similarity'

test('a password like the name is similar, whatever its case and order', () => {
  expect(isSimilar('Lovelace', 'lovelace')).toBe(true)
  expect(isSimilar('lovelace99', 'lovelace')).toBe(true)
  expect(isSimilar('ecalevol', 'lovelace')).toBe(true)
})

test('a part of the address counts', () => {
  expect(isSimilar('countess1', 'ada@countess.example')).toBe(true)
})

test('other passwords are not similar, and nothing is similar to nothing', () => {
  expect(isSimilar('Xq7!kk0_zw', 'lovelace')).toBe(false)
  expect(isSimilar('anything', '')).toBe(false)
  expect(isSimilar('anything', '  ')).toBe(false)
})

test('a short name within a long password does not matter', () => {
  expect(isSimilar('a'.repeat(40), 'aaa')).toBe(false)
})
