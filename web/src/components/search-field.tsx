import { CloseButton, TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import styles from './search-field.module.css'

const PAUSE = 300

interface Props {
  label: string
  clear: string
  search: string
  onChange: (search: string) => void
}

/** What to look for. It searches while one types. */
export function SearchField({ label, clear, search, onChange }: Props) {
  const [typed, setTyped] = useState(search)
  // Going back and forth in the browser changes the search from outside.
  const given = useRef(search)
  useEffect(() => {
    // Its own search comes back, perhaps after more was typed.
    if (search === given.current) return
    given.current = search
    setTyped(search)
  }, [search])
  useEffect(() => {
    if (typed.trim() === search) return
    const give = () => {
      given.current = typed.trim()
      onChange(given.current)
    }
    const timer = setTimeout(give, PAUSE)
    return () => clearTimeout(timer)
  }, [typed, search, onChange])
  return (
    <TextInput
      className={styles.field}
      type="search"
      label={label}
      value={typed}
      maxLength={200}
      leftSection={<IconSearch size={18} aria-hidden />}
      rightSection={typed && <CloseButton aria-label={clear} onClick={() => setTyped('')} />}
      onChange={(event) => setTyped(event.currentTarget.value)}
    />
  )
}
