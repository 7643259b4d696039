import { expect, test } from 'vitest'
import { safeNext } from './next-path'

const here = 'https://accounts.example.com'

test('a page of ours is where one goes', () => {
  expect(safeNext('/account/sessions', here)).toBe('/account/sessions')
  expect(safeNext('/account?tab=1', here)).toBe('/account?tab=1')
  expect(safeNext('/books/7/review', here)).toBe('/books/7/review')
  expect(safeNext('/books?search=a%26b', here)).toBe('/books?search=a%26b')
})

test.each([
  undefined,
  '',
  '//evil.example/account',
  '/\\evil.example/account',
  'https://evil.example/account',
  'javascript:alert(1)',
  '/sign-in',
  '/accounts-of-others',
  '/account/../api/auth/logout/',
])('%s leads home', (next) => {
  expect(safeNext(next, here)).toBe('/home')
})
