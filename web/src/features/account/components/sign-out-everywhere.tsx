import { Button } from '@mantine/core'
import { useState } from 'react'
import { Card } from '@/components/card'
import { Dialog } from '@/components/dialog'
import { toProblem } from '@/lib/problem'
import { texts } from '@/lib/texts'
import { toast } from '@/lib/toasts'
import { useSignOutEverywhere } from '../api/sessions'

/** Ends every session, once it is confirmed. */
export function SignOutEverywhere() {
  const [isAsking, setIsAsking] = useState(false)
  const signOut = useSignOutEverywhere()
  const run = () =>
    signOut.mutate(undefined, {
      onError: (error) => {
        setIsAsking(false)
        toast(toProblem(error, []).messages[0] ?? texts.problem.unknown)
      },
    })
  return (
    <div className="below-list">
      <Card
        title={texts.sessions.everywhere}
        lead={texts.sessions.everywhereLead}
        action={
          <Button variant="outline" color="danger" onClick={() => setIsAsking(true)}>
            {texts.sessions.everywhere}
          </Button>
        }
      />
      <Dialog isOpen={isAsking} onClose={() => setIsAsking(false)} title={texts.sessions.confirmTitle}>
        <p>{texts.sessions.confirmLead}</p>
        <div className="dialog-actions">
          <Button variant="default" onClick={() => setIsAsking(false)}>
            {texts.sessions.cancel}
          </Button>
          <Button color="danger" loading={signOut.isPending} onClick={run}>
            {texts.sessions.everywhere}
          </Button>
        </div>
      </Dialog>
    </div>
  )
}
