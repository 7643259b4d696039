import { Stars } from '@/components/stars'
import type { Book } from '@/lib/community-types'
import { texts } from '@/lib/texts'
import styles from './rating-line.module.css'

/** Average and number of the reviews that the visitor may see. */
export function RatingLine({ book, size }: { book: Book; size?: number }) {
  const { average_rating: average, review_count: count } = book
  if (average == null) return <p className={styles.line}>{texts.book.noRating}</p>
  const value = average.toFixed(1)
  return (
    <p className={styles.line}>
      <Stars rating={average} label={texts.book.rating(value)} size={size} />
      <strong aria-hidden>{value}</strong>
      <span>{texts.book.reviews(count)}</span>
    </p>
  )
}
