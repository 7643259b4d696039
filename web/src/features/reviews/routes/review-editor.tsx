import { useParams } from '@tanstack/react-router'
import { ApiError } from 'portcullis-client'
import { Loadable } from '@/components/loadable'
import { NotFound } from '@/components/not-found'
import { PageHeading } from '@/components/page-heading'
import { TextLink } from '@/components/text-link'
import { useBook } from '@/features/books/api/books'
import type { Book } from '@/lib/community-types'
import { useUser } from '@/lib/session-user'
import { texts } from '@/lib/texts'
import { useOwnReview } from '../api/reviews'
import { ReviewForm } from '../components/review-form'
import styles from './review-editor.module.css'

/** Writing a review, or changing one's own. */
export function ReviewEditorPage() {
  const { id } = useParams({ from: '/community/writing/books/$id/review' })
  const book = useBook(Number(id))
  if (book.error instanceof ApiError && book.error.status === 404) return <NotFound />
  return (
    <div className={styles.page}>
      <Loadable query={book} height={480}>
        {(found) => <OwnForm book={found} />}
      </Loadable>
    </div>
  )
}

function OwnForm({ book }: { book: Book }) {
  const own = useOwnReview(book.id, useUser()?.username)
  return (
    <Loadable query={own} height={480}>
      {(review) => (
        <>
          <PageHeading
            title={review ? texts.editor.editTitle : texts.editor.newTitle}
            lead={
              <>
                {texts.editor.of}{' '}
                <TextLink to="/books/$id" params={{ id: String(book.id) }}>
                  {book.title}
                </TextLink>
              </>
            }
          />
          <div className={styles.sheet}>
            <ReviewForm book={book.id} review={review} />
          </div>
        </>
      )}
    </Loadable>
  )
}
