import * as z from 'zod/mini'
import type { Book, BookInput } from '@/lib/community-types'
import { texts } from '@/lib/texts'

const filled = z.regex(/\S/, texts.required)

/** What the form checks before it asks; the server has the last word. */
export const bookSchema = z.object({
  title: z.string().check(filled),
  author: z.string().check(filled),
  isbn: z.string(),
  year: z.string().check(z.regex(/^\s*(-?\d{1,4})?\s*$/, texts.bookForm.yearRule)),
  description: z.string(),
})

/** As fields have it. */
export type BookValues = z.infer<typeof bookSchema>

/** A book as the form begins with it; none is an empty form. */
export function toValues(book?: Book): BookValues {
  return {
    title: book?.title ?? '',
    author: book?.author ?? '',
    isbn: book?.isbn ?? '',
    year: book?.year?.toString() ?? '',
    description: book?.description ?? '',
  }
}

/** What is sent: an empty ISBN or year is none. */
export function toInput(values: BookValues): BookInput {
  const { title, author, description } = values
  const [isbn, year] = [values.isbn.trim(), values.year.trim()]
  return {
    title: title.trim(),
    author: author.trim(),
    description: description.trim(),
    isbn: isbn || null,
    year: year ? Number(year) : null,
  }
}
