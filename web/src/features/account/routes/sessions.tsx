import { Text } from '@mantine/core'
import { Loadable } from '@/components/loadable'
import { PageHeading } from '@/components/page-heading'
import { texts } from '@/lib/texts'
import { useSessions } from '../api/sessions'
import { SessionList } from '../components/session-list'
import { SignOutEverywhere } from '../components/sign-out-everywhere'

/** Every device that is signed in. */
export function SessionsPage() {
  const sessions = useSessions()
  return (
    <>
      <PageHeading title={texts.sessions.title} lead={texts.sessions.lead} />
      <Loadable query={sessions} height={180}>
        {(list) => (
          <>
            <SessionList sessions={list} />
            {list.length === 1 && (
              <Text c="dimmed" size="sm" my="md">
                {texts.sessions.alone}
              </Text>
            )}
          </>
        )}
      </Loadable>
      <SignOutEverywhere />
    </>
  )
}
