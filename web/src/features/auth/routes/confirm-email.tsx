import { useState } from 'react'
import { PageHeading } from '@/components/page-heading'
import { ButtonLink } from '@/components/text-link'
import { dropLinkToken, linkToken } from '@/lib/link-token'
import { queryClient } from '@/lib/query-client'
import { texts } from '@/lib/texts'
import { useConfirmEmail } from '../api/confirm-email'
import { MissingToken } from '../components/missing-token'
import { TokenAction } from '../components/token-action'

/** Where the link to a new address leads: one click moves the account. */
export function ConfirmEmailPage() {
  const [token] = useState(() => linkToken('/confirm-email'))
  const [isDone, setIsDone] = useState(false)
  const confirm = useConfirmEmail()
  const toAccount = (
    <ButtonLink to="/account/email" size="md" fullWidth>
      {texts.confirmEmail.toAccount}
    </ButtonLink>
  )
  if (!token) return <MissingToken lead={texts.confirmEmail.missing}>{toAccount}</MissingToken>
  if (isDone) {
    return (
      <div key="done">
        <PageHeading title={texts.confirmEmail.doneTitle} lead={texts.confirmEmail.doneLead} takesFocus />
        {toAccount}
      </div>
    )
  }
  const act = async () => {
    await confirm.mutateAsync(token)
    dropLinkToken()
    await queryClient.invalidateQueries()
    setIsDone(true)
  }
  return (
    <div key="ask">
      <PageHeading title={texts.confirmEmail.title} lead={texts.confirmEmail.lead} />
      <TokenAction label={texts.confirmEmail.submit} action={act} />
    </div>
  )
}
