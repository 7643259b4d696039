import { CloseButton, NativeSelect, TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { texts } from '@/lib/texts'
import { type BookOrdering, ORDERINGS } from '../api/orderings'
import styles from './book-search.module.css'

const PAUSE = 300

interface Props {
  search: string
  ordering: BookOrdering
  onChange: (change: { search?: string; ordering?: BookOrdering }) => void
}

/** What to look for, and in which order. It searches while one types. */
export function BookSearch({ search, ordering, onChange }: Props) {
  const [typed, setTyped] = useState(search)
  // Going back and forth in the browser changes the search from outside.
  useEffect(() => setTyped(search), [search])
  useEffect(() => {
    if (typed.trim() === search) return
    const timer = setTimeout(() => onChange({ search: typed.trim() }), PAUSE)
    return () => clearTimeout(timer)
  }, [typed, search, onChange])
  return (
    <search className={styles.search}>
      <TextInput
        type="search"
        label={texts.books.search}
        value={typed}
        maxLength={200}
        leftSection={<IconSearch size={18} aria-hidden />}
        rightSection={typed && <CloseButton aria-label={texts.books.clear} onClick={() => setTyped('')} />}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
      <NativeSelect
        label={texts.books.ordering}
        value={ordering}
        data={ORDERINGS.map((value) => ({ value, label: texts.books.orderings[value] }))}
        onChange={(event) => onChange({ ordering: event.currentTarget.value as BookOrdering })}
      />
    </search>
  )
}
