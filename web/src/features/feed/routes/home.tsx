import { IconBook2 } from '@tabler/icons-react'
import { Empty } from '@/components/empty'
import { MoreList } from '@/components/more-list'
import { PageHeading } from '@/components/page-heading'
import { ButtonLink } from '@/components/text-link'
import { useReviews } from '@/features/reviews/api/reviews'
import { ReviewCard } from '@/features/reviews/components/review-card'
import { useUser } from '@/lib/session-user'
import { texts } from '@/lib/texts'
import styles from './home.module.css'

/** The latest of what the visitor may see. */
export function HomePage() {
  const user = useUser()
  const reviews = useReviews()
  return (
    <div className={styles.page}>
      <PageHeading
        title={texts.feed.title}
        heading={user ? texts.feed.greeting(user.first_name || user.username) : texts.feed.guestHeading}
        lead={user ? texts.feed.lead : texts.feed.guestLead}
      />
      <MoreList
        list={reviews}
        height={220}
        keyOf={({ id }) => id}
        empty={
          <Empty
            Icon={IconBook2}
            title={texts.feed.none}
            lead={texts.feed.noneLead}
            action={<ButtonLink to="/books">{texts.feed.toBooks}</ButtonLink>}
          />
        }
      >
        {(review) => <ReviewCard review={review} names="both" level={2} isShort />}
      </MoreList>
    </div>
  )
}
