import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { PageHeading } from '@/components/page-heading'
import { ButtonLink, TextLink } from '@/components/text-link'
import { dropLinkToken, linkToken } from '@/lib/link-token'
import { homePath } from '@/lib/next-path'
import { texts } from '@/lib/texts'
import { toast } from '@/lib/toasts'
import { useVerifyEmail } from '../api/verify-email'
import { Aside } from '../components/aside'
import { MissingToken } from '../components/missing-token'
import { TokenAction } from '../components/token-action'

/** Where the mailed link leads: one click verifies the address and signs in. */
export function VerifyEmailPage() {
  const [token] = useState(() => linkToken('/verify-email'))
  const verify = useVerifyEmail()
  const navigate = useNavigate()
  if (!token) {
    return (
      <MissingToken lead={texts.verify.missing}>
        <ButtonLink to="/check-mail" size="md" fullWidth>
          {texts.verify.again}
        </ButtonLink>
      </MissingToken>
    )
  }
  const act = async () => {
    await verify.mutateAsync({ token })
    dropLinkToken()
    toast(texts.verify.done)
    await navigate({ to: homePath, replace: true })
  }
  return (
    <>
      <PageHeading title={texts.verify.title} lead={texts.verify.lead} />
      <TokenAction label={texts.verify.submit} action={act} />
      <Aside>
        <TextLink to="/check-mail">{texts.verify.again}</TextLink>
      </Aside>
    </>
  )
}
