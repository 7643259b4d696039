import { texts } from '@/lib/texts'
import type { Strength } from '../lib/judge-strength'
import styles from './strength-meter.module.css'

/** Four bars and a word; the word is also said to screen readers once typing pauses. */
export function StrengthMeter({ strength }: { strength: Strength | undefined }) {
  const score = strength?.score ?? 0
  const word = strength ? texts.rules.strengths[strength.score] : undefined
  return (
    <div className={styles.meter} data-score={strength ? score : undefined}>
      <div className={styles.bars} aria-hidden>
        {[1, 2, 3, 4].map((bar) => (
          <span key={bar} data-on={strength && bar <= Math.max(1, score) ? true : undefined} />
        ))}
      </div>
      <p aria-live="polite">
        {word && (
          <>
            {texts.rules.strength}: <strong>{word}</strong>
          </>
        )}
      </p>
    </div>
  )
}
