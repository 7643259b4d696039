import { Link } from '@tanstack/react-router'
import { useBook } from '@/features/books/api/books'
import { texts } from '@/lib/texts'

/** The title of a review's book, which the review itself does not tell. */
export function BookLink({ id }: { id: number }) {
  const { data: book } = useBook(id)
  return (
    <Link to="/books/$id" params={{ id: String(id) }}>
      {book ? book.title : texts.review.loadingBook}
    </Link>
  )
}
