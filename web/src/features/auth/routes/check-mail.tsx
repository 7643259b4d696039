import { Button } from '@mantine/core'
import { useLocation } from '@tanstack/react-router'
import { useState } from 'react'
import { PageHeading } from '@/components/page-heading'
import { useLeaveWhenSignedIn } from '@/components/use-leave-when-signed-in'
import { texts } from '@/lib/texts'
import { CodeForm } from '../components/code-form'
import { MailboxButton } from '../components/mailbox-button'
import { Resend } from '../components/resend'

/** After registering: open the link in the mail, type its code, or ask for another. */
export function CheckMailPage() {
  const sentTo = useLocation({ select: (location) => location.state.email })
  const [isOther, setIsOther] = useState(false)
  const [typed, setTyped] = useState('')
  const known = isOther ? undefined : sentTo
  useLeaveWhenSignedIn()
  return (
    <>
      <PageHeading
        title={texts.checkMail.title}
        lead={known ? texts.checkMail.sent(known) : texts.checkMail.unknown}
      />
      <div className="above-form">
        <MailboxButton />
      </div>
      <CodeForm key={known ?? ''} knownEmail={known} onEmail={setTyped} />
      <Resend email={known ?? typed} justSent={known !== undefined} />
      {known && (
        <Button variant="subtle" size="sm" fullWidth mt="xs" onClick={() => setIsOther(true)}>
          {texts.checkMail.other}
        </Button>
      )}
    </>
  )
}
