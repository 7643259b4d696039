import { expect, test } from 'vitest'
import { bookSchema, toInput, toValues } from './book-values'

test('what is empty is sent as nothing', () => {
  const values = { ...toValues(), title: ' Jane Eyre ', author: 'Charlotte Brontë' }
  expect(toInput(values)).toEqual({
    title: 'Jane Eyre',
    author: 'Charlotte Brontë',
    description: '',
    isbn: null,
    year: null,
  })
  expect(toInput({ ...values, isbn: ' 9780141441146 ', year: ' 1847 ' })).toMatchObject({
    isbn: '9780141441146',
    year: 1847,
  })
})

test('years may be before our era, and are no words', () => {
  const values = { ...toValues(), title: 'a', author: 'b' }
  expect(bookSchema.safeParse({ ...values, year: '-700' }).success).toBe(true)
  expect(bookSchema.safeParse({ ...values, year: '' }).success).toBe(true)
  expect(bookSchema.safeParse({ ...values, year: 'long ago' }).success).toBe(false)
})
