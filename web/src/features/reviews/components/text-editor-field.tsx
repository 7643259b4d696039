import { Skeleton } from '@mantine/core'
import { lazy, Suspense, useId } from 'react'
import { texts } from '@/lib/texts'
import styles from './text-editor-field.module.css'

const RichText = lazy(async () => ({ default: (await import('../editor/rich-text')).RichText }))

interface Props {
  initial: string
  onChange: (html: string) => void
  error: string | undefined
}

/** The review's text. The editor is fetched when it is needed. */
export function TextEditorField({ initial, onChange, error }: Props) {
  const id = useId()
  return (
    <div>
      <span id={id} className={styles.label}>
        {texts.editor.text}
      </span>
      <Suspense fallback={<Waiting />}>
        <RichText
          initial={initial}
          onChange={onChange}
          labelId={id}
          errorId={error ? `${id}-error` : undefined}
        />
      </Suspense>
      {error && (
        <p id={`${id}-error`} role="alert" className={styles.error}>
          {error}
        </p>
      )}
    </div>
  )
}

function Waiting() {
  return (
    <div role="status">
      <Skeleton height={272} radius="md" />
      <span className="visually-hidden">{texts.editor.loading}</span>
    </div>
  )
}
