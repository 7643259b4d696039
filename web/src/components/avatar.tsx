import { hashOf } from '@/lib/text-hash'
import styles from './avatar.module.css'

interface Props {
  username: string
  url?: string | null
  size?: 'small' | 'large'
}

/** A person's picture, or their first letter. Their name stands beside it, so it says nothing itself. */
export function Avatar({ username, url, size = 'small' }: Props) {
  if (url) {
    return <img className={styles.avatar} src={url} alt="" data-size={size} loading="lazy" decoding="async" />
  }
  return (
    <span className={styles.avatar} data-size={size} data-hue={hashOf(username, 8)} aria-hidden>
      {username.slice(0, 1).toUpperCase()}
    </span>
  )
}
