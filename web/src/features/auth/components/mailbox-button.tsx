import { Button } from '@mantine/core'
import { IconExternalLink } from '@tabler/icons-react'
import { texts } from '@/lib/texts'
import { useDevMailbox } from '../api/dev-mailbox'

/** The way to the mails of a server in development; nothing anywhere else. */
export function MailboxButton() {
  const mailbox = useDevMailbox()
  if (!mailbox) return null
  return (
    <Button
      component="a"
      href={mailbox}
      target="_blank"
      rel="noopener"
      variant="light"
      fullWidth
      rightSection={<IconExternalLink size={16} aria-hidden />}
    >
      {texts.checkMail.mailbox}
    </Button>
  )
}
