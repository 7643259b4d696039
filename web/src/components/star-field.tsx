import { IconStar } from '@tabler/icons-react'
import { useId, useState } from 'react'
import type { UseFormRegisterReturn } from 'react-hook-form'
import { texts } from '@/lib/texts'
import styles from './star-field.module.css'

interface Props {
  registration: UseFormRegisterReturn
  value: number
  error: string | undefined
}

/** One to five stars: a group of radio buttons, so that arrow keys and screen readers know their way. */
export function StarField({ registration, value, error }: Props) {
  const [pointed, setPointed] = useState(0)
  const errorId = useId()
  const shown = pointed || value
  return (
    <fieldset className={styles.field} aria-describedby={error ? errorId : undefined}>
      <legend>{texts.editor.rating}</legend>
      <div className={styles.row}>
        <div className={styles.stars} onPointerLeave={() => setPointed(0)}>
          {texts.editor.ratings.map((label, index) => {
            const isOn = index < shown
            return (
              <label key={label} title={label} onPointerEnter={() => setPointed(index + 1)}>
                <input
                  {...registration}
                  type="radio"
                  value={index + 1}
                  aria-label={label}
                  aria-invalid={error ? true : undefined}
                />
                <IconStar
                  size={30}
                  stroke={1.5}
                  fill={isOn ? 'currentColor' : 'none'}
                  aria-hidden
                  data-on={isOn}
                />
              </label>
            )
          })}
        </div>
        <span className={styles.word} aria-hidden>
          {texts.editor.ratingWords[shown - 1]}
        </span>
      </div>
      {error && (
        <p id={errorId} className={styles.error}>
          {error}
        </p>
      )}
    </fieldset>
  )
}
