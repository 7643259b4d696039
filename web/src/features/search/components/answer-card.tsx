import { Button, Skeleton } from '@mantine/core'
import { IconSparkles } from '@tabler/icons-react'
import { texts } from '@/lib/texts'
import type { Answer } from '../api/answer'
import styles from './answer-card.module.css'

const t = texts.search

/** The answer's sentences as they come, and whose they are. */
export function AnswerCard({ answer, onAgain }: { answer: Answer; onAgain: () => void }) {
  const { status, answer: text, provider } = answer
  const isComing = status === 'waiting' || status === 'streaming'
  return (
    <section className={styles.card} aria-label={t.answer} aria-busy={isComing}>
      {text ? (
        <p className={styles.text} dir="auto" data-coming={isComing}>
          {text}
        </p>
      ) : (
        isComing && <Outline />
      )}
      {status === 'cut' && (
        <div className={styles.cut}>
          <p>{t.cut}</p>
          <Button variant="default" size="xs" onClick={onAgain}>
            {t.again}
          </Button>
        </div>
      )}
      {provider && (
        <p className={styles.by}>
          {provider === 'anthropic' && <IconSparkles size={16} aria-hidden />}
          {t.by[provider]}
        </p>
      )}
    </section>
  )
}

function Outline() {
  return (
    <div className={styles.outline}>
      <p>{t.waiting}</p>
      <Skeleton height={14} />
      <Skeleton height={14} width="60%" />
    </div>
  )
}
