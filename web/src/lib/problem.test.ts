import { ApiError, NetworkError } from 'portcullis-client'
import { expect, test } from 'vitest'
import { toProblem } from './problem'
import { texts } from './texts'

const refusal = { status: 400, code: 'invalid', detail: 'Bad.', details: [], fields: {} }

test('errors of fields stand beside them, all others above', () => {
  const fields = { password: ['Too short.', 'Too plain.'], captcha: ['Missing.'] }
  const problem = toProblem(new ApiError({ ...refusal, fields }), ['username', 'password'])
  expect(problem.fields).toEqual({ password: 'Too short. Too plain.' })
  expect(problem.messages).toEqual(['Missing.'])
})

test('an error without fields is told in the words of the server', () => {
  expect(toProblem(new ApiError(refusal), ['password']).messages).toEqual(['Bad.'])
})

test('a limit says when to try again, and nothing else', () => {
  const problem = toProblem(new ApiError({ ...refusal, status: 429, retryAfter: 42 }), [], {}, 1000)
  expect(problem).toMatchObject({ retryAt: 43_000, messages: [], fields: {} })
})

test('a code may have words of our own', () => {
  const problem = toProblem(new ApiError(refusal), [], { invalid: 'No.', other: 'Never.' })
  expect(problem.messages).toEqual(['No.'])
})

test('what went wrong on the server is not shown, its reference is', () => {
  const problem = toProblem(new ApiError({ ...refusal, status: 500, requestId: 'abc' }), [])
  expect(problem).toMatchObject({ messages: [texts.problem.unknown], requestId: 'abc' })
})

test('a lost connection and an unknown error have words of their own', () => {
  expect(toProblem(new NetworkError('lost'), []).messages).toEqual([texts.problem.network])
  expect(toProblem(new Error('secret'), []).messages).toEqual([texts.problem.unknown])
})
