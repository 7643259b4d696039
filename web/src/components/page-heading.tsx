import { Text, Title } from '@mantine/core'
import { type ReactNode, useEffect, useRef } from 'react'
import { siteName } from '@/lib/site'
import { texts } from '@/lib/texts'
import { isFirstPage } from './first-page'
import styles from './page-heading.module.css'

interface Props {
  /** Heading of the page and title of the document. */
  title: string
  /** Where the heading says it in other words than the title. */
  heading?: string
  lead?: ReactNode
  /** Whether the page has just taken another's place without a navigation. */
  takesFocus?: boolean
}

/** The page's one h1: it names the document and takes the focus after a navigation. */
export function PageHeading({ title, heading, lead, takesFocus = false }: Props) {
  const ref = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = texts.title(title, siteName)
    if (takesFocus || !isFirstPage()) ref.current?.focus({ preventScroll: true })
  }, [title, takesFocus])
  return (
    <header className={styles.heading}>
      <Title order={1} ref={ref} tabIndex={-1}>
        {heading ?? title}
      </Title>
      {lead && <Text c="dimmed">{lead}</Text>}
    </header>
  )
}
