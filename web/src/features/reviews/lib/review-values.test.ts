import { expect, test } from 'vitest'
import type { Review } from '@/lib/community-types'
import { reviewSchema, toInput, toValues } from './review-values'

const review: Review = {
  id: 1,
  book: 7,
  user: 'ada',
  title: 'A title',
  review_text: '<p>Good.</p>',
  rating: 4,
  is_public: false,
  created_at: '2026-11-24T09:00:00Z',
  updated_at: '2026-11-24T09:00:00Z',
}

test('a review goes through the form as it is', () => {
  const { book, title, review_text, rating, is_public } = review
  expect(toInput(book, toValues(review))).toEqual({ book, title, review_text, rating, is_public })
})

test('a new review is public, and has everything to say yet', () => {
  const values = toValues(null)
  expect(values.is_public).toBe(true)
  const result = reviewSchema.safeParse(values)
  expect(result.error?.issues.map(({ path }) => path[0])).toEqual(['rating', 'title', 'review_text'])
})

test('lengths are counted in characters, as the server does', () => {
  const filled = { ...toValues(review), title: '📚'.repeat(200) }
  expect(reviewSchema.safeParse(filled).success).toBe(true)
  expect(reviewSchema.safeParse({ ...filled, title: '📚'.repeat(201) }).success).toBe(false)
  expect(reviewSchema.safeParse({ ...filled, review_text: 'x'.repeat(50_001) }).success).toBe(false)
})
