import { PageHeading } from '@/components/page-heading'
import { useSession } from '@/lib/session'
import { texts } from '@/lib/texts'
import { AboutCard } from '../components/about-card'
import { NamesCard } from '../components/names-card'

/** The overview: what the account is, and the names. */
export function ProfilePage() {
  const session = useSession()
  const user = session.status === 'signed-in' ? session.user : undefined
  return (
    <>
      <PageHeading
        title={texts.profile.title}
        heading={user && texts.profile.greeting(user.first_name || user.username)}
        lead={texts.profile.lead}
      />
      <AboutCard />
      <NamesCard />
    </>
  )
}
