import { expect, test } from 'vitest'
import { accessToken, freshness, readClaims } from '../src/access-token.js'
import { jwt } from './support/tokens.js'

test('claims are read from ids of either kind and from names in any script', () => {
  const token = jwt({
    user_id: 7,
    sid: '9',
    username: 'жанна',
    email: 'é@例え.jp',
    is_staff: true,
    iat: 10,
    exp: 70,
  })
  expect(readClaims(token)).toEqual({
    userId: '7',
    sessionId: '9',
    username: 'жанна',
    email: 'é@例え.jp',
    isStaff: true,
    lifetime: 60_000,
  })
})

test('claims of every length of padding are read', () => {
  for (let length = 0; length < 9; length += 1) {
    const username = 'x'.repeat(length)
    expect(readClaims(jwt({ username })).username).toBe(username)
  }
})

test('anything that is not a token has no claims', () => {
  for (const text of ['', 'a', 'a.b', 'a.b.c', '..', 'a.!!.c', `a.${btoa('null')}.c`, `a.${btoa('"x"')}.c`]) {
    expect(readClaims(text)).toEqual({})
  }
})

test('a token goes from fresh over late and due to over', () => {
  const token = accessToken(jwt({ iat: 0, exp: 900 }), 1_000_000)
  const at = (seconds: number) => freshness(token, 1_000_000 + seconds * 1000)
  expect([0, 869, 871, 889, 891, 899, 900, 10_000].map(at)).toEqual([
    'fresh',
    'fresh',
    'late',
    'late',
    'due',
    'due',
    'over',
    'over',
  ])
  expect(at(-1)).toBe('over')
})

test('a token that lives for seconds is not renewed all the time', () => {
  const token = accessToken(jwt({ iat: 0, exp: 5 }), 0)
  expect(freshness(token, 3900)).toBe('fresh')
  expect(freshness(token, 4100)).toBe('late')
})

test('a token of an unknown form is used until the server refuses it', () => {
  expect(freshness(accessToken('opaque', 0), 1e15)).toBe('fresh')
})
