import { Button } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { Dialog } from '@/components/dialog'
import { texts } from '@/lib/texts'
import { RoomForm } from './room-form'

/** Opens a room of one's own. */
export function NewRoom() {
  const [isOpen, setIsOpen] = useState(false)
  const navigate = useNavigate()
  return (
    <>
      <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setIsOpen(true)}>
        {texts.roomForm.new}
      </Button>
      <Dialog isOpen={isOpen} onClose={() => setIsOpen(false)} title={texts.roomForm.new}>
        <RoomForm onSaved={({ id }) => void navigate({ to: '/rooms/$id', params: { id: String(id) } })} />
      </Dialog>
    </>
  )
}
