import { expect, test } from 'vitest'
import { digitsOf, fields } from './fields'

test('a code may be typed with blanks and hyphens', () => {
  expect(fields.code.safeParse('1234 5678').success).toBe(true)
  expect(fields.code.safeParse(' 1234-5678 ').success).toBe(true)
  expect(fields.code.safeParse('1234567').success).toBe(false)
  expect(digitsOf(' 1234-5678 ')).toBe('12345678')
})

test('usernames are letters, digits and underscores, three at least', () => {
  expect(fields.username.safeParse('ada_1').success).toBe(true)
  for (const name of ['ad', 'ada lovelace', 'äda', 'ada@example', 'x'.repeat(151)]) {
    expect(fields.username.safeParse(name).success).toBe(false)
  }
})

test('names may be empty and hold no links', () => {
  expect(fields.name.safeParse('').success).toBe(true)
  expect(fields.name.safeParse("Ada O'Hara-Łukasz").success).toBe(true)
  for (const name of ['see https://evil.example', '<b>', 'x'.repeat(151)]) {
    expect(fields.name.safeParse(name).success).toBe(false)
  }
})
