import { IconMessage2 } from '@tabler/icons-react'
import { useId } from 'react'
import { Empty } from '@/components/empty'
import { MoreList } from '@/components/more-list'
import type { Review } from '@/lib/community-types'
import { useUser } from '@/lib/session-user'
import { texts } from '@/lib/texts'
import { useReviews } from '../api/reviews'
import styles from './book-reviews.module.css'
import { ReviewCard } from './review-card'

const t = texts.book

/** What people think of a book. One's own review stands above already. */
export function BookReviews({ book }: { book: number }) {
  const id = useId()
  const reviews = useReviews({ book })
  const username = useUser()?.username
  const isOwn = (review: Review) => review.user === username
  const hasOwn = reviews.data?.pages.some((page) => page.results.some(isOwn))
  return (
    <section aria-labelledby={id}>
      <h2 id={id} className={styles.heading}>
        {t.others}
      </h2>
      <MoreList
        list={reviews}
        omit={isOwn}
        height={180}
        keyOf={(review) => review.id}
        empty={<Empty Icon={IconMessage2} {...(hasOwn ? t.noOthers : t.noReviews)} />}
      >
        {(review) => <ReviewCard review={review} names="user" />}
      </MoreList>
    </section>
  )
}
