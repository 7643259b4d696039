import { Skeleton } from '@mantine/core'
import { ApiError } from 'portcullis-client'
import { useId } from 'react'
import { Failed } from '@/components/loadable'
import { useBook } from '@/features/books/api/books'
import { BookTile } from '@/features/books/components/book-tile'
import type { SearchAnswer } from '@/lib/community-types'
import { texts } from '@/lib/texts'
import styles from './found-books.module.css'

/** The books of an answer, each with why it is there. */
export function FoundBooks({ results }: { results: SearchAnswer['results'] }) {
  const id = useId()
  return (
    <section aria-labelledby={id}>
      <h2 id={id} className={styles.heading}>
        {texts.search.books}
      </h2>
      <ol className={styles.list}>
        {results.map(({ book, reason }) => (
          <FoundBook key={book} id={book} reason={reason} />
        ))}
      </ol>
    </section>
  )
}

function FoundBook({ id, reason }: { id: number; reason: string }) {
  const { data, error, refetch } = useBook(id)
  // It was deleted meanwhile.
  if (error instanceof ApiError && error.status === 404) return null
  return (
    <li>
      {data ? (
        <BookTile book={data} level={3} note={reason} />
      ) : error ? (
        <Failed error={error} onRetry={() => void refetch()} />
      ) : (
        <Skeleton height={178} radius="lg" />
      )}
    </li>
  )
}
