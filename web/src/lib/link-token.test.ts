import { afterEach, expect, test } from 'vitest'
import { dropLinkToken, linkToken, takeTokenFromAddress } from './link-token'

afterEach(dropLinkToken)

function open(address: string): string {
  const url = new URL(address, 'https://accounts.example.com')
  let shown = url.pathname + url.search
  const replaceState = (_state: unknown, _title: string, to: string) => {
    shown = to
  }
  const history = { state: null, replaceState }
  takeTokenFromAddress(url as unknown as Location, history as unknown as History)
  return shown
}

test('the token leaves the address bar and is there for its page alone', () => {
  expect(open('/verify-email?token=abc')).toBe('/verify-email')
  expect(linkToken('/verify-email')).toBe('abc')
  expect(linkToken('/reset-password')).toBeUndefined()
})

test('other parameters stay, a trailing slash does not matter', () => {
  expect(open('/reset-password/?token=abc&lang=de')).toBe('/reset-password?lang=de')
  expect(linkToken('/reset-password')).toBe('abc')
})

test('an invitation is taken too', () => {
  expect(open('/sign-up?invite=xyz')).toBe('/sign-up')
  expect(linkToken('/sign-up')).toBe('xyz')
})

test('an empty token is none, and other pages keep their parameters', () => {
  expect(open('/verify-email?token=')).toBe('/verify-email')
  expect(linkToken('/verify-email')).toBeUndefined()
  expect(open('/sign-in?token=abc')).toBe('/sign-in?token=abc')
})
