import { Button, Textarea } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { type FormEvent, type KeyboardEvent, useState } from 'react'
import { isEnter } from '@/lib/enter'
import { texts } from '@/lib/texts'
import styles from './question-form.module.css'

const t = texts.search
/** Characters of a question, as the server counts them. */
const MAX = 500

/** Where one asks. Enter asks; a question has no lines. */
export function QuestionForm({ asked, onAsk }: { asked: string; onAsk: (query: string) => void }) {
  const [typed, setTyped] = useState(asked)
  const query = typed.trim()
  const length = [...query].length
  const over = length - MAX
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (length > 0 && over <= 0) onAsk(query)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (!isEnter(event)) return
    event.preventDefault()
    // Held down it asks once.
    if (!event.repeat) submit(event)
  }
  return (
    <search>
      <form className={styles.form} onSubmit={submit}>
        <Textarea
          label={t.label}
          placeholder={t.example}
          rows={2}
          dir="auto"
          enterKeyHint="search"
          value={typed}
          error={over > 0 && t.tooLong(over)}
          onChange={(event) => setTyped(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        <div className={styles.below}>
          <span>{t.hint}</span>
          <span data-over={over > 0}>{t.count(length, MAX)}</span>
          <Button type="submit" leftSection={<IconSearch size={18} aria-hidden />}>
            {t.ask}
          </Button>
        </div>
      </form>
    </search>
  )
}
