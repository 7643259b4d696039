import { IconBook2 } from '@tabler/icons-react'
import { useId } from 'react'
import { Empty } from '@/components/empty'
import { MoreList } from '@/components/more-list'
import { ButtonLink } from '@/components/text-link'
import { useReviews } from '@/features/reviews/api/reviews'
import { ReviewCard } from '@/features/reviews/components/review-card'
import { useUser } from '@/lib/session-user'
import { texts } from '@/lib/texts'
import styles from './person-reviews.module.css'

/** What somebody has reviewed, as far as the visitor may see it. */
export function PersonReviews({ username }: { username: string }) {
  const id = useId()
  const reviews = useReviews({ user: username })
  const isOwn = useUser()?.username === username
  return (
    <section aria-labelledby={id}>
      <h2 id={id} className={styles.heading}>
        {texts.person.reviews}
      </h2>
      <MoreList
        list={reviews}
        height={180}
        keyOf={(review) => review.id}
        empty={
          <Empty
            Icon={IconBook2}
            title={texts.person.none}
            lead={isOwn ? texts.person.noneOwn : texts.person.noneLead(username)}
            action={isOwn && <ButtonLink to="/books">{texts.feed.toBooks}</ButtonLink>}
          />
        }
      >
        {(review) => <ReviewCard review={review} names="book" isShort />}
      </MoreList>
    </section>
  )
}
