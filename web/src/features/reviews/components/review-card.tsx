import { Badge } from '@mantine/core'
import { IconLock } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { Avatar } from '@/components/avatar'
import { Moment } from '@/components/moment'
import { Stars } from '@/components/stars'
import { StoredHtml } from '@/components/stored-html'
import type { Review } from '@/lib/community-types'
import { useUser } from '@/lib/session-user'
import { texts } from '@/lib/texts'
import styles from './review-card.module.css'
import { ReviewMenu } from './review-menu'

interface Props {
  review: Review
  /** What the place does not say already: whose it is, of which book, or both. */
  names: 'user' | 'book' | 'both'
  /** Of the heading, one below what is above it. */
  level?: 2 | 3
  isShort?: boolean
}

/** Characters from which a review is cut in a list of many. */
const LONG = 600

/** Somebody's review as the server has stored it. */
export function ReviewCard({ review, names, level = 3, isShort = false }: Props) {
  const Heading = level === 2 ? 'h2' : 'h3'
  const isCut = isShort && review.review_text.length > LONG
  return (
    <article className={styles.card}>
      <header className={styles.top}>
        {names !== 'book' && <Avatar username={review.user} url={review.avatar_url} />}
        <div className={styles.who}>
          {names !== 'book' && <PersonLink username={review.user} />}
          {names === 'both' && <span className={styles.dim}> {texts.review.of} </span>}
          {names !== 'user' && <BookLink review={review} />}
          <Time review={review} />
        </div>
        <ReviewMenu review={review} />
      </header>
      <div className={styles.title}>
        <Heading>{review.title}</Heading>
        <p>
          <Stars rating={review.rating} label={texts.review.stars(review.rating)} size={18} />
          {!review.is_public && <HiddenBadge review={review} />}
        </p>
      </div>
      <StoredHtml html={review.review_text} clamp={isCut} />
      {isCut && (
        <Link to="/books/$id" params={{ id: String(review.book) }} className={styles.more}>
          {texts.feed.more}
          <span className="visually-hidden">: {review.title}</span>
        </Link>
      )}
    </article>
  )
}

function PersonLink({ username }: { username: string }) {
  return (
    <Link to="/people/$username" params={{ username }} className={styles.name}>
      {username}
    </Link>
  )
}

function BookLink({ review }: { review: Review }) {
  return (
    <Link to="/books/$id" params={{ id: String(review.book) }}>
      {review.book_title}
    </Link>
  )
}

function Time({ review }: { review: Review }) {
  return (
    <p className={styles.time}>
      <Moment time={review.created_at} />
      {review.updated_at !== review.created_at && ` · ${texts.review.edited}`}
    </p>
  )
}

function HiddenBadge({ review }: { review: Review }) {
  const isOwn = useUser()?.username === review.user
  return (
    <Badge variant="light" size="sm" tt="none" leftSection={<IconLock size={12} aria-hidden />}>
      {isOwn ? texts.review.hidden : texts.review.hiddenStaff}
    </Badge>
  )
}
