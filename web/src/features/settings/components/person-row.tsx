import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { Avatar } from '@/components/avatar'
import { Moment } from '@/components/moment'
import styles from './person-row.module.css'

interface Props {
  username: string
  /** Before the time. */
  word: string
  time: string
  /** Whether their page can be seen. */
  isLinked?: boolean
  children: ReactNode
}

/** Somebody in a list, with what can be done. */
export function PersonRow({ username, word, time, isLinked = true, children }: Props) {
  return (
    <div className={styles.row}>
      <Avatar username={username} />
      <p className={styles.who}>
        {isLinked ? (
          <Link to="/people/$username" params={{ username }}>
            {username}
          </Link>
        ) : (
          <strong>{username}</strong>
        )}
        <span>
          {word} <Moment time={time} />
        </span>
      </p>
      <div className={styles.actions}>{children}</div>
    </div>
  )
}
