import { PageHeading } from '@/components/page-heading'
import { TextLink } from '@/components/text-link'
import { useUser } from '@/lib/session-user'
import { texts } from '@/lib/texts'
import { AvatarCard } from '../components/avatar-card'
import { BioCard } from '../components/bio-card'
import { VisibilityCard } from '../components/visibility-card'

/** What others see of oneself, and who they are. */
export function PublicProfilePage() {
  const user = useUser()
  return (
    <>
      <PageHeading
        title={texts.publicProfile.title}
        lead={
          <>
            {texts.publicProfile.lead}{' '}
            {user && (
              <TextLink to="/people/$username" params={{ username: user.username }}>
                {texts.publicProfile.view}
              </TextLink>
            )}
          </>
        }
      />
      <AvatarCard />
      <BioCard />
      <VisibilityCard />
    </>
  )
}
