import { useLayoutEffect, useRef } from 'react'
import { cleanHtml } from '@/lib/clean-html'
import styles from './stored-html.module.css'

/** HTML of people, shown as it is stored: cleaned once more, and put into the page without a sink for text. */
export function StoredHtml({ html, clamp = false }: { html: string; clamp?: boolean }) {
  const ref = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => ref.current?.replaceChildren(cleanHtml(html)), [html])
  return <div ref={ref} className={styles.text} data-clamp={clamp} />
}
