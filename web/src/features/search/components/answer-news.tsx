import { texts } from '@/lib/texts'
import type { Answer } from '../api/answer'

const t = texts.search

/** Tells a screen reader that something happens, and then the whole answer: pieces of it would only disturb. */
export function AnswerNews({ answer }: { answer: Answer }) {
  return (
    <p role="status" className="visually-hidden">
      {newsOf(answer)}
    </p>
  )
}

function newsOf({ status, query, answer, results }: Answer): string {
  if (status === 'waiting' || status === 'streaming') return t.waiting
  if (status === 'cut') return `${t.cut} ${answer}`
  if (status !== 'done') return ''
  return results.length > 0 ? `${answer} ${t.found(results.length)}` : t.nothing(query)
}
