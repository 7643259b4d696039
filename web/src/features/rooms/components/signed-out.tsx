import { useLocation } from '@tanstack/react-router'
import { PageHeading } from '@/components/page-heading'
import { ButtonLink } from '@/components/text-link'
import { texts } from '@/lib/texts'

/** Where the session has ended under a reader's eyes. */
export function SignedOut() {
  const next = useLocation({ select: ({ href }) => href })
  return (
    <>
      <PageHeading title={texts.room.signedOutTitle} lead={texts.room.signedOutLead} takesFocus />
      <ButtonLink to="/sign-in" search={{ next }}>
        {texts.room.signIn}
      </ButtonLink>
    </>
  )
}
