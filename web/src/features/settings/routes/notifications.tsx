import { Card } from '@/components/card'
import { Loadable } from '@/components/loadable'
import { PageHeading } from '@/components/page-heading'
import { SwitchField } from '@/components/switch-field'
import type { Preferences } from '@/lib/community-types'
import { texts } from '@/lib/texts'
import { toastProblem } from '@/lib/toast-problem'
import { useOwnProfile, useSetPreference } from '../api/own-profile'

const KINDS = ['new_follower', 'follow_request', 'follow_approved', 'book_reviewed'] as const

/** Which mails one wants. */
export function NotificationsPage() {
  const profile = useOwnProfile()
  const { title, lead, heading, security, securityLead } = texts.notifications
  return (
    <>
      <PageHeading title={title} lead={lead} />
      <Card title={heading}>
        <Loadable query={profile} height={230}>
          {({ notification_preferences }) => <Switches preferences={notification_preferences} />}
        </Loadable>
      </Card>
      <Card title={security} lead={securityLead} />
    </>
  )
}

function Switches({ preferences }: { preferences: Preferences }) {
  const set = useSetPreference()
  return KINDS.map((kind) => {
    const [label, hint] = texts.notifications.kinds[kind]
    return (
      <SwitchField
        key={kind}
        label={label}
        hint={hint}
        checked={preferences[kind]}
        onChange={(isWanted) => set.mutate({ [kind]: isWanted }, { onError: toastProblem })}
      />
    )
  })
}
