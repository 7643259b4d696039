import { Card } from '@/components/card'
import { PageHeading } from '@/components/page-heading'
import { texts } from '@/lib/texts'
import { PasswordForm } from '../components/password-form'

/** Changing the password. */
export function PasswordPage() {
  return (
    <>
      <PageHeading title={texts.password.title} lead={texts.password.lead} />
      <Card title={texts.password.submit}>
        <PasswordForm />
      </Card>
    </>
  )
}
