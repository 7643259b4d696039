import { Button } from '@mantine/core'
import type { ReactNode } from 'react'
import { Dialog } from './dialog'

interface Props {
  isOpen: boolean
  onClose: () => void
  title: string
  children: ReactNode
  cancel: string
  confirm: string
  isRunning: boolean
  onConfirm: () => void
}

/** Asks once more before something that cannot be undone. */
export function Confirm({ isOpen, onClose, title, children, cancel, confirm, isRunning, onConfirm }: Props) {
  return (
    <Dialog isOpen={isOpen} onClose={onClose} title={title}>
      <p>{children}</p>
      <div className="dialog-actions">
        <Button variant="default" onClick={onClose}>
          {cancel}
        </Button>
        <Button color="danger" loading={isRunning} onClick={onConfirm}>
          {confirm}
        </Button>
      </div>
    </Dialog>
  )
}
