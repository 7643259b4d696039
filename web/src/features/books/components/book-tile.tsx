import { Link } from '@tanstack/react-router'
import type { Book } from '@/lib/community-types'
import { BookCover } from './book-cover'
import styles from './book-tile.module.css'
import { RatingLine } from './rating-line'

interface Props {
  book: Book
  /** Of its heading on the page. */
  level?: 2 | 3
  /** Why it is in the list. */
  note?: string
}

/** A book in the list; all of it leads to its page. */
export function BookTile({ book, level = 2, note }: Props) {
  const Heading = `h${level}` as const
  return (
    <article className={styles.tile}>
      <BookCover title={book.title} author={book.author} />
      <div>
        <Heading>
          <Link to="/books/$id" params={{ id: String(book.id) }}>
            {book.title}
          </Link>
        </Heading>
        <p className={styles.author}>
          {book.author}
          {book.year != null && ` · ${book.year}`}
        </p>
        {note && (
          <p className={styles.note} dir="auto">
            {note}
          </p>
        )}
        <RatingLine book={book} />
      </div>
    </article>
  )
}
