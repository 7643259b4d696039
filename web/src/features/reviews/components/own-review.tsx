import { IconPencil } from '@tabler/icons-react'
import { useLocation } from '@tanstack/react-router'
import { Card } from '@/components/card'
import { Loadable } from '@/components/loadable'
import { ButtonLink } from '@/components/text-link'
import { useUser } from '@/lib/session-user'
import { texts } from '@/lib/texts'
import { useOwnReview } from '../api/reviews'
import { ReviewCard } from './review-card'

/** One's own review of a book, or the way to it. */
export function OwnReview({ book }: { book: number }) {
  const username = useUser()?.username
  return username === undefined ? <SignInFirst /> : <Own book={book} username={username} />
}

function Own({ book, username }: { book: number; username: string }) {
  const own = useOwnReview(book, username)
  return (
    <Loadable query={own} height={96}>
      {(review) =>
        review ? (
          <section aria-label={texts.review.own} data-own>
            <ReviewCard review={review} names="user" level={2} />
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
