import { Button } from '@mantine/core'
import { IconSend2 } from '@tabler/icons-react'
import { type FormEvent, type KeyboardEvent, useId, useRef, useState } from 'react'
import { isEnter } from '@/lib/enter'
import { texts } from '@/lib/texts'
import styles from './composer.module.css'

const t = texts.chat
/** Characters of a message, as the server counts them. */
const MAX = 1000

/** Where one writes. Enter sends; with Shift it begins a line. */
export function Composer({ onSend }: { onSend: (text: string) => void }) {
  const [typed, setTyped] = useState('')
  const field = useRef<HTMLTextAreaElement>(null)
  const id = useId()
  const text = typed.trim()
  const length = [...text].length
  const isTooLong = length > MAX
  const submit = (event: FormEvent) => {
    event.preventDefault()
    field.current?.focus()
    if (length === 0 || isTooLong) return
    onSend(text)
    setTyped('')
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (!isEnter(event) || event.shiftKey) return
    event.preventDefault()
    // Held down it sends once.
    if (!event.repeat) submit(event)
  }
  return (
    <form className={styles.composer} onSubmit={submit}>
      <label htmlFor={id} className="visually-hidden">
        {t.write}
      </label>
      <div className={styles.row}>
        <textarea
          ref={field}
          id={id}
          rows={1}
          dir="auto"
          placeholder={t.write}
          value={typed}
          enterKeyHint="send"
          aria-describedby={`${id}-hint`}
          aria-invalid={isTooLong}
          onChange={(event) => setTyped(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        <Button type="submit" leftSection={<IconSend2 size={18} aria-hidden />} disabled={isTooLong}>
          {t.send}
        </Button>
      </div>
      <div className={styles.below}>
        <span id={`${id}-hint`}>{t.hint}</span>
        <span role="status" data-over={isTooLong}>
          {isTooLong && t.tooLong(length - MAX)}
        </span>
        <span data-over={isTooLong}>{t.count(length, MAX)}</span>
      </div>
    </form>
  )
}
