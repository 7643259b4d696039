import { useCallback, useRef } from 'react'

/** For so many milliseconds after a failure nothing is asked for by itself. */
const PAUSE = 10_000

interface AskOlder {
  /** For whoever asks with a button, which a failure leaves there. */
  ask: () => void
  /** For what asks while one scrolls: not again and again where it has just failed. */
  askByItself: () => void
}

/** Asks for earlier messages as long as there are any. */
export function useAskOlder(hasOlder: boolean, loadOlder: () => Promise<void>): AskOlder {
  const failedAt = useRef(Number.NEGATIVE_INFINITY)
  const ask = useCallback(() => {
    if (!hasOlder) return
    loadOlder().catch(() => {
      failedAt.current = Date.now()
    })
  }, [hasOlder, loadOlder])
  const askByItself = useCallback(() => {
    if (Date.now() - failedAt.current >= PAUSE) ask()
  }, [ask])
  return { ask, askByItself }
}
