import { PageHeading } from '@/components/page-heading'
import { TextLink } from '@/components/text-link'
import { useLeaveWhenSignedIn } from '@/components/use-leave-when-signed-in'
import { texts } from '@/lib/texts'
import { Aside } from '../components/aside'
import { SignUpForm } from '../components/sign-up-form'

/** Registering an account. */
export function SignUpPage() {
  useLeaveWhenSignedIn()
  return (
    <>
      <PageHeading title={texts.signUp.title} />
      <SignUpForm />
      <Aside>
        {texts.signUp.have} <TextLink to="/sign-in">{texts.signUp.signIn}</TextLink>
      </Aside>
    </>
  )
}
