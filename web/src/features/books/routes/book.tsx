import { useParams } from '@tanstack/react-router'
import { ApiError } from 'portcullis-client'
import { Loadable } from '@/components/loadable'
import { NotFound } from '@/components/not-found'
import { BookReviews } from '@/features/reviews/components/book-reviews'
import { OwnReview } from '@/features/reviews/components/own-review'
import { useBook } from '../api/books'
import { BookHead } from '../components/book-head'
import styles from './book.module.css'

/** A book: what it is, one's own review, and those of others. */
export function BookPage() {
  const { id } = useParams({ from: '/community/books/$id' })
  const book = useBook(Number(id))
  if (book.error instanceof ApiError && book.error.status === 404) return <NotFound />
  return (
    <Loadable query={book} height={240}>
      {(found) => (
        <div className={styles.page}>
          <BookHead book={found} />
          <OwnReview book={found.id} />
          <BookReviews book={found.id} />
        </div>
      )}
    </Loadable>
  )
}
