import { Stack } from '@mantine/core'
import { PageHeading } from '@/components/page-heading'
import { ButtonLink } from '@/components/text-link'
import { useLeaveWhenSignedIn } from '@/components/use-leave-when-signed-in'
import { siteName } from '@/lib/site'
import { texts } from '@/lib/texts'

/** The start for whoever is not signed in. */
export function WelcomePage() {
  useLeaveWhenSignedIn()
  return (
    <>
      <PageHeading
        title={texts.welcome.title}
        heading={texts.welcome.heading(siteName)}
        lead={texts.welcome.lead}
      />
      <Stack gap="sm">
        <ButtonLink to="/sign-up" size="md" fullWidth>
          {texts.welcome.signUp}
        </ButtonLink>
        <ButtonLink to="/sign-in" size="md" fullWidth variant="default">
          {texts.welcome.signIn}
        </ButtonLink>
      </Stack>
    </>
  )
}
