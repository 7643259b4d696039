import { hashOf } from '@/lib/text-hash'
import styles from './book-cover.module.css'

interface Props {
  title: string
  author: string
  size?: 'small' | 'large'
}

/** A drawn cover, always the same for a book. Title and author stand beside it, so it is hidden from readers. */
export function BookCover({ title, author, size = 'small' }: Props) {
  return (
    <span className={styles.cover} data-size={size} data-hue={hashOf(title + author, 8)} aria-hidden>
      <span className={styles.title}>{title}</span>
      <span className={styles.author}>{author}</span>
    </span>
  )
}
