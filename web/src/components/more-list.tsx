import { Button, Skeleton } from '@mantine/core'
import { type Key, type ReactNode, useEffect, useRef } from 'react'
import type { Page } from '@/lib/page'
import { texts } from '@/lib/texts'
import type { List } from '@/lib/use-list'
import { Failed } from './loadable'
import styles from './more-list.module.css'

interface Props<T> {
  list: List<T>
  keyOf: (item: T) => Key
  children: (item: T) => ReactNode
  empty: ReactNode
  /** Rows that stand elsewhere on the page. */
  omit?: (item: T) => boolean
  /** Above the rows, when there are any. */
  heading?: (first: Page<T>) => ReactNode
  /** How the rows stand: each a card of its own, lines of one, or bare. */
  look?: 'cards' | 'lines' | 'shelf' | 'plain'
  /** Of a row while it loads, in pixels. */
  height: number
}

/** The rows of a list that comes in parts: outline, nothing there, failed, and a button for more. */
export function MoreList<T>({
  list,
  keyOf,
  children,
  empty,
  omit,
  heading,
  look = 'cards',
  height,
}: Props<T>) {
  const { data, isError, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = list
  const all = data?.pages.flatMap((page) => page.results) ?? []
  const items = omit ? all.filter((item) => !omit(item)) : all
  const { ref, asked } = useFocusOnMore(items.length)
  const more = async () => {
    asked.current = true
    const { isError: hasFailed } = await fetchNextPage()
    if (hasFailed) asked.current = false
  }
  if (!data && isError) return <Failed error={error} onRetry={() => void refetch()} />
  const first = data?.pages[0]
  if (!first) return <Outline look={look} height={height} />
  if (items.length === 0 && !hasNextPage) return empty
  return (
    <>
      {heading?.(first)}
      <ul ref={ref} className={styles.list} data-look={look}>
        {items.map((item) => (
          <li key={keyOf(item)} tabIndex={-1}>
            {children(item)}
          </li>
        ))}
      </ul>
      {isError && <Failed error={error} onRetry={() => void more()} />}
      {hasNextPage && !isError && (
        <div className={styles.more}>
          <Button variant="default" loading={isFetchingNextPage} onClick={() => void more()}>
            {texts.more}
          </Button>
        </div>
      )}
    </>
  )
}

/** When a part was added by the button, the focus goes on with its first row. */
function useFocusOnMore(count: number) {
  const ref = useRef<HTMLUListElement>(null)
  const before = useRef(0)
  /** A list that grows by itself leaves the focus where it is. */
  const asked = useRef(false)
  useEffect(() => {
    const isMore = before.current > 0 && count > before.current
    const { activeElement } = document
    // The button is gone with the last part, and the focus with it. Whoever has gone elsewhere stays there.
    const isThere = activeElement === document.body || activeElement?.closest(`.${styles.more}`)
    if (isMore && asked.current) {
      asked.current = false
      if (isThere) (ref.current?.children[before.current] as HTMLElement | undefined)?.focus()
    }
    before.current = count
  }, [count])
  return { ref, asked }
}

const ROWS = [0, 1, 2]

function Outline({ look, height }: { look: string; height: number }) {
  return (
    <div role="status" className={styles.list} data-look={look}>
      {ROWS.map((row) => (
        <Skeleton key={row} height={height} radius="lg" />
      ))}
      <span className="visually-hidden">{texts.loading}</span>
    </div>
  )
}
