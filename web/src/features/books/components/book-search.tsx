import { NativeSelect } from '@mantine/core'
import { useCallback } from 'react'
import { SearchField } from '@/components/search-field'
import { texts } from '@/lib/texts'
import { type BookOrdering, ORDERINGS } from '../api/orderings'
import styles from './book-search.module.css'

interface Props {
  search: string
  ordering: BookOrdering
  onChange: (change: { search?: string; ordering?: BookOrdering }) => void
}

/** What to look for, and in which order. */
export function BookSearch({ search, ordering, onChange }: Props) {
  const onSearch = useCallback((typed: string) => onChange({ search: typed }), [onChange])
  return (
    <search className={styles.search}>
      <SearchField label={texts.books.search} clear={texts.books.clear} search={search} onChange={onSearch} />
      <NativeSelect
        label={texts.books.ordering}
        value={ordering}
        data={ORDERINGS.map((value) => ({ value, label: texts.books.orderings[value] }))}
        onChange={(event) => onChange({ ordering: event.currentTarget.value as BookOrdering })}
      />
    </search>
  )
}
