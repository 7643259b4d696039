import { Button } from '@mantine/core'
import { IconUserOff } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { Confirm } from '@/components/confirm'
import { texts } from '@/lib/texts'
import { toastProblem } from '@/lib/toast-problem'
import { toast } from '@/lib/toasts'
import { useBlock } from '../api/people'

/** Blocks somebody, once it is confirmed. Their page is then a page of nobody. */
export function BlockButton({ username }: { username: string }) {
  const [isAsking, setIsAsking] = useState(false)
  const block = useBlock(username)
  const navigate = useNavigate()
  const run = () =>
    block.mutate(undefined, {
      onSuccess: () => {
        toast(texts.person.blocked(username))
        void navigate({ to: '/settings/blocked' })
      },
      onError: (error) => {
        setIsAsking(false)
        toastProblem(error)
      },
    })
  return (
    <>
      <Button
        variant="subtle"
        color="danger"
        size="sm"
        leftSection={<IconUserOff size={16} aria-hidden />}
        onClick={() => setIsAsking(true)}
      >
        {texts.person.block}
      </Button>
      <Confirm
        isOpen={isAsking}
        onClose={() => setIsAsking(false)}
        title={texts.person.blockTitle(username)}
        cancel={texts.person.cancel}
        confirm={texts.person.block}
        isRunning={block.isPending}
        onConfirm={run}
      >
        {texts.person.blockLead}
      </Confirm>
    </>
  )
}
