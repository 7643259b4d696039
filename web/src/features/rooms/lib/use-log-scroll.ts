import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'

/** So many pixels from the end count as the end. */
const NEAR_END = 48
/** So many pixels from the beginning earlier messages are asked for. */
const NEAR_BEGINNING = 400

interface LogScroll {
  ref: RefObject<HTMLElement | null>
  isAtEnd: boolean
  onScroll: () => void
  toEnd: () => void
  /** For when a button that has the focus goes away. */
  focus: () => void
}

/**
 * Keeps a list that grows at both ends where the reader has it: at its end it follows what is new, elsewhere
 * what one reads stays in its place.
 */
export function useLogScroll(length: number, loadOlder: () => void): LogScroll {
  const ref = useRef<HTMLElement>(null)
  const follows = useRef(true)
  const held = useRef<{ element: HTMLElement; bottom: number }>(undefined)
  const [isAtEnd, setIsAtEnd] = useState(true)

  const note = useCallback(() => {
    const log = ref.current
    if (!log) return
    follows.current = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END
    setIsAtEnd(follows.current)
    const rows = log.querySelectorAll<HTMLElement>('[data-seq]')
    const element = [...rows].find((row) => bottomOf(row) > log.scrollTop)
    held.current = element && { element, bottom: bottomOf(element) }
  }, [])

  const settle = useCallback(() => {
    const log = ref.current
    if (!log) return
    const { element, bottom = 0 } = held.current ?? {}
    if (follows.current) log.scrollTop = log.scrollHeight
    else if (element?.isConnected) log.scrollTop += bottomOf(element) - bottom
    note()
  }, [note])

  // After each drawing, before it is seen.
  useLayoutEffect(settle)
  useEffect(() => {
    if (!ref.current) return
    const observer = new ResizeObserver(settle)
    observer.observe(ref.current)
    return () => observer.disconnect()
  }, [settle])

  const askAtBeginning = useCallback(() => {
    if (ref.current && ref.current.scrollTop < NEAR_BEGINNING) loadOlder()
  }, [loadOlder])
  // A page of short messages may leave the beginning in sight.
  useEffect(() => {
    if (length > 0) askAtBeginning()
  }, [length, askAtBeginning])

  const onScroll = useCallback(() => {
    note()
    askAtBeginning()
  }, [note, askAtBeginning])
  const toEnd = useCallback(() => {
    follows.current = true
    settle()
  }, [settle])
  const focus = useCallback(() => ref.current?.focus({ preventScroll: true }), [])
  return { ref, isAtEnd, onScroll, toEnd, focus }
}

/** Within the list, whose position is not static. */
function bottomOf(row: HTMLElement): number {
  return row.offsetTop + row.offsetHeight
}
