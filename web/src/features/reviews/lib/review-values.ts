import * as z from 'zod/mini'
import type { Review, ReviewInput } from '@/lib/community-types'
import { texts } from '@/lib/texts'

const MAX_TITLE = 200
const MAX_TEXT = 50_000
const lengthOf = (text: string) => [...text].length

/** What the form checks before it asks; the server has the last word. */
export const reviewSchema = z.object({
  rating: z.string().check(z.regex(/^[1-5]$/, texts.editor.ratingRule)),
  title: z.string().check(
    z.regex(/\S/, texts.required),
    z.refine((title) => lengthOf(title) <= MAX_TITLE, texts.editor.titleRule),
  ),
  review_text: z.string().check(
    z.minLength(1, texts.editor.textRule),
    z.refine((html) => lengthOf(html) <= MAX_TEXT, texts.editor.tooLong),
  ),
  is_public: z.boolean(),
})

/** As radio buttons and fields have it. */
export type ReviewValues = z.infer<typeof reviewSchema>

/** A review as the form begins with it; none is an empty form. */
export function toValues(review: Review | null): ReviewValues {
  if (!review) return { rating: '', title: '', review_text: '', is_public: true }
  const { rating, title, review_text, is_public } = review
  return { rating: String(rating), title, review_text, is_public }
}

/** What is sent. */
export function toInput(book: number, values: ReviewValues): ReviewInput {
  return { ...values, book, title: values.title.trim(), rating: Number(values.rating) }
}
