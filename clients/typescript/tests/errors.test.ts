import { expect, test } from 'vitest'
import { ApiError, NetworkError, parseRetryAfter } from '../src/errors.js'

const NOW = Date.parse('2026-01-01T12:00:00Z')

function response(body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status: 400, headers })
}

test('a rejected form becomes sentences by field', async () => {
  const fields = { username: ['Too short.'], password: ['Too common.', 'Needs a digit.'] }
  const details = ['Too short.', 'Too common.', 'Needs a digit.']
  const body = { error: 'Too short.', detail: 'Too short.', code: 'invalid', details, fields }
  const error = await ApiError.from(response(body, { 'X-Request-Id': 'abc' }))
  expect(error).toMatchObject({ status: 400, code: 'invalid', details, fields, requestId: 'abc' })
  expect(error).toBeInstanceOf(Error)
  expect(error.message).toBe('Too short.')
  expect(error.retryAfter).toBeUndefined()
})

test('a server that words only error, or only detail, is understood', async () => {
  expect((await ApiError.from(response({ error: 'No.' }))).detail).toBe('No.')
  expect((await ApiError.from(response({ detail: 'No.' }))).detail).toBe('No.')
})

test('an answer of any shape becomes an error without surprises', async () => {
  const bodies = ['', '<html>', '[]', 'null', '3', '{"fields":[1],"details":{"a":1},"code":7,"detail":null}']
  for (const body of bodies) {
    const error = await ApiError.from(response(body))
    expect(error.code).toBe('')
    expect(error.detail).toBe('The server answered 400.')
    expect([error.details, Object.values(error.fields).flat()]).toEqual([[], []])
  }
})

test('Retry-After is read as seconds and as a date, and never negative', () => {
  expect(parseRetryAfter('7', NOW)).toBe(7)
  expect(parseRetryAfter('Thu, 01 Jan 2026 12:00:30 GMT', NOW)).toBe(30)
  expect(parseRetryAfter('Thu, 01 Jan 2026 11:00:00 GMT', NOW)).toBe(0)
  expect(parseRetryAfter('soon', NOW)).toBeUndefined()
  expect(parseRetryAfter(null, NOW)).toBeUndefined()
})

test('errors are told apart by their name, also across bundles', () => {
  expect(new NetworkError('gone', 'why')).toMatchObject({ name: 'NetworkError', cause: 'why' })
  expect(new ApiError({ status: 418, code: '', detail: 'Tea.' }).name).toBe('ApiError')
})
