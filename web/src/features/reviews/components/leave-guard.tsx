import { useBlocker } from '@tanstack/react-router'
import { Confirm } from '@/components/confirm'
import { texts } from '@/lib/texts'

/** Asks before a page is left with something on it that is not saved. */
export function LeaveGuard({ isDirty }: { isDirty: boolean }) {
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn: () => isDirty,
    enableBeforeUnload: () => isDirty,
    withResolver: true,
  })
  return (
    <Confirm
      isOpen={status === 'blocked'}
      onClose={() => reset?.()}
      title={texts.editor.leaveTitle}
      cancel={texts.editor.stay}
      confirm={texts.editor.leave}
      isRunning={false}
      onConfirm={() => proceed?.()}
    >
      {texts.editor.leaveLead}
    </Confirm>
  )
}
