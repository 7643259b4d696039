import { PageHeading } from '@/components/page-heading'
import { texts } from '@/lib/texts'
import { EmailChangeCard } from '../components/email-change-card'

/** Moving the account to another address. */
export function EmailPage() {
  return (
    <>
      <PageHeading title={texts.email.title} lead={texts.email.lead} />
      <EmailChangeCard />
    </>
  )
}
