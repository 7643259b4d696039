import { useBlocker } from '@tanstack/react-router'
import { useEffect } from 'react'
import { Confirm } from './confirm'

interface Props {
  isDirty: boolean
  /** Nothing would be lost any more: whoever is being asked goes on. */
  isSaved?: boolean
  words: { readonly title: string; readonly lead: string; readonly leave: string; readonly stay: string }
}

/** Asks before a page is left with something on it that would be lost. */
export function LeaveGuard({ isDirty, isSaved = false, words }: Props) {
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn: () => isDirty,
    enableBeforeUnload: () => isDirty,
    withResolver: true,
  })
  useEffect(() => {
    if (isSaved) proceed?.()
  }, [isSaved, proceed])
  return (
    <Confirm
      isOpen={status === 'blocked'}
      onClose={() => reset?.()}
      title={words.title}
      cancel={words.stay}
      confirm={words.leave}
      isRunning={false}
      onConfirm={() => proceed?.()}
    >
      {words.lead}
    </Confirm>
  )
}
