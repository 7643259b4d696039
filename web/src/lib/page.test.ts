import { expect, test } from 'vitest'
import { pathOfNext, withParameters } from './page'

const page = { count: 0, previous: null, results: [] }

test('parameters without a value are left out', () => {
  expect(withParameters('/api/books/', { search: '', ordering: undefined })).toBe('/api/books/')
  expect(withParameters('/api/books/', { search: 'a&b', page_size: 5 })).toBe(
    '/api/books/?search=a%26b&page_size=5',
  )
})

test('the next page is asked for at the origin of this page', () => {
  const next = 'https://books.example/api/reviews/?cursor=abc&page_size=20'
  expect(pathOfNext({ ...page, next })).toBe('/api/reviews/?cursor=abc&page_size=20')
  expect(pathOfNext({ ...page, next: null })).toBeUndefined()
})
