import { getRouteApi } from '@tanstack/react-router'
import { Notice } from '@/components/notice'
import { PageHeading } from '@/components/page-heading'
import { TextLink } from '@/components/text-link'
import { useLeaveWhenSignedIn } from '@/components/use-leave-when-signed-in'
import { farewell } from '@/lib/farewell'
import { useStore } from '@/lib/store'
import { texts } from '@/lib/texts'
import { formatDay } from '@/lib/time'
import { Aside } from '../components/aside'
import { SignInForm } from '../components/sign-in-form'

const route = getRouteApi('/guest/sign-in')

/** Signing in; afterwards to where one wanted to go. */
export function SignInPage() {
  const { next } = route.useSearch()
  const closed = useStore(farewell)
  useLeaveWhenSignedIn(next)
  return (
    <>
      <PageHeading title={texts.signIn.title} />
      {closed?.deletesAt && (
        <div className="above-form">
          <Notice tone="note" title={texts.signIn.deletedTitle}>
            {texts.signIn.deleted(formatDay(closed.deletesAt))}
          </Notice>
        </div>
      )}
      <SignInForm />
      <Aside>
        {texts.signIn.none} <TextLink to="/sign-up">{texts.signIn.signUp}</TextLink>
      </Aside>
    </>
  )
}
