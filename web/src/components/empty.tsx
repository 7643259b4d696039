import { Text } from '@mantine/core'
import type { ComponentType, ReactNode } from 'react'
import styles from './empty.module.css'

interface Props {
  Icon: ComponentType<{ size?: number; stroke?: number; 'aria-hidden'?: boolean }>
  title: string
  lead?: ReactNode
  /** What to do about it. */
  action?: ReactNode
}

/** Where there is nothing yet: what would be here, and what to do. */
export function Empty({ Icon, title, lead, action }: Props) {
  return (
    <div className={styles.empty}>
      <Icon size={36} stroke={1.25} aria-hidden />
      <p className={styles.title}>{title}</p>
      {lead && (
        <Text c="dimmed" size="sm">
          {lead}
        </Text>
      )}
      {action}
    </div>
  )
}
