import { Text, Title } from '@mantine/core'
import { type ReactNode, useId } from 'react'
import styles from './card.module.css'

interface Props {
  title: string
  lead?: ReactNode
  /** Stands beside the title. */
  action?: ReactNode
  tone?: 'normal' | 'danger'
  children?: ReactNode
}

/** A part of a page with a heading of its own. */
export function Card({ title, lead, action, tone = 'normal', children }: Props) {
  const id = useId()
  return (
    <section className={styles.card} aria-labelledby={id} data-tone={tone}>
      <header>
        <div>
          <Title order={2} id={id}>
            {title}
          </Title>
          {lead && <Text c="dimmed">{lead}</Text>}
        </div>
        {action}
      </header>
      {children}
    </section>
  )
}
