import { IconPencil } from '@tabler/icons-react'
import { useLocation } from '@tanstack/react-router'
import { useId } from 'react'
import { Card } from '@/components/card'
import { Loadable } from '@/components/loadable'
import { ButtonLink } from '@/components/text-link'
import { useUser } from '@/lib/session-user'
import { texts } from '@/lib/texts'
import { useOwnReview } from '../api/reviews'
import styles from './book-reviews.module.css'
import { ReviewCard } from './review-card'

/** One's own review of a book, or the way to it. */
export function OwnReview({ book }: { book: number }) {
  const username = useUser()?.username
  return username === undefined ? <SignInFirst /> : <Own book={book} username={username} />
}

function Own({ book, username }: { book: number; username: string }) {
  const id = useId()
  const own = useOwnReview(book, username)
  return (
    <Loadable query={own} height={96}>
      {(review) =>
        review ? (
          <section aria-labelledby={id}>
            <h2 id={id} className={styles.heading}>
              {texts.review.own}
            </h2>
            <ReviewCard review={review} names="user" />
          </section>
        ) : (
          <Card
            title={texts.review.own}
            lead={texts.review.writeLead}
            action={
              <ButtonLink
                to="/books/$id/review"
                params={{ id: String(book) }}
                leftSection={<IconPencil size={18} aria-hidden />}
              >
                {texts.review.write}
              </ButtonLink>
            }
          />
        )
      }
    </Loadable>
  )
}

function SignInFirst() {
  const next = useLocation({ select: ({ pathname }) => pathname })
  return (
    <Card
      title={texts.review.own}
      lead={texts.review.signInLead}
      action={
        <ButtonLink to="/sign-in" search={{ next }} variant="default">
          {texts.review.signIn}
        </ButtonLink>
      }
    />
  )
}
