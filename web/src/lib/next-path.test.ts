import { expect, test } from 'vitest'
import { safeNext } from './next-path'

const here = 'https://accounts.example.com'

test('a page of the account is where one goes', () => {
  expect(safeNext('/account/sessions', here)).toBe('/account/sessions')
  expect(safeNext('/account?tab=1', here)).toBe('/account?tab=1')
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
])('%s leads to the account', (next) => {
  expect(safeNext(next, here)).toBe('/account')
})
