import { Link } from '@tanstack/react-router'
import type { Book } from '@/lib/community-types'
import { BookCover } from './book-cover'
import styles from './book-tile.module.css'
import { RatingLine } from './rating-line'

/** A book in the list; all of it leads to its page. */
export function BookTile({ book }: { book: Book }) {
  return (
    <article className={styles.tile}>
      <BookCover title={book.title} author={book.author} />
      <div>
        <h2>
          <Link to="/books/$id" params={{ id: String(book.id) }}>
            {book.title}
          </Link>
        </h2>
        <p className={styles.author}>
          {book.author}
          {book.year != null && ` · ${book.year}`}
        </p>
        <RatingLine book={book} />
      </div>
    </article>
  )
}
