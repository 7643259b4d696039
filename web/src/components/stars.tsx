import { IconStar, IconStarFilled, IconStarHalfFilled } from '@tabler/icons-react'
import styles from './stars.module.css'

const PLACES = [1, 2, 3, 4, 5] as const

/** A rating as stars, to the half; `label` says it in words. */
export function Stars({ rating, label, size = 16 }: { rating: number; label: string; size?: number }) {
  const halves = Math.round(rating * 2) / 2
  return (
    <span className={styles.stars} role="img" aria-label={label}>
      {PLACES.map((place) => {
        const Icon = halves >= place ? IconStarFilled : halves >= place - 0.5 ? IconStarHalfFilled : IconStar
        return <Icon key={place} size={size} aria-hidden data-on={halves >= place - 0.5} />
      })}
    </span>
  )
}
