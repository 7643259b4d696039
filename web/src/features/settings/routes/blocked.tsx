import { Button } from '@mantine/core'
import { IconUserOff } from '@tabler/icons-react'
import { Empty } from '@/components/empty'
import { MoreList } from '@/components/more-list'
import { PageHeading } from '@/components/page-heading'
import { useUnblock } from '@/features/people/api/people'
import type { BlockedPerson } from '@/lib/community-types'
import { texts } from '@/lib/texts'
import { toastProblem } from '@/lib/toast-problem'
import { toast } from '@/lib/toasts'
import { useBlocked } from '../api/requests'
import { PersonRow } from '../components/person-row'

/** Who is blocked. */
export function BlockedPage() {
  const blocked = useBlocked()
  const { title, lead, none, noneLead } = texts.blocked
  return (
    <>
      <PageHeading title={title} lead={lead} />
      <MoreList
        list={blocked}
        look="lines"
        height={72}
        keyOf={({ user }) => user}
        empty={<Empty Icon={IconUserOff} title={none} lead={noneLead} />}
      >
        {(person) => <BlockedRow person={person} />}
      </MoreList>
    </>
  )
}

function BlockedRow({ person: { user, created_at } }: { person: BlockedPerson }) {
  const unblock = useUnblock()
  const run = () =>
    unblock.mutate(user, {
      onSuccess: () => toast(texts.blocked.unblocked(user)),
      onError: toastProblem,
    })
  return (
    <PersonRow username={user} word={texts.blocked.since} time={created_at} isLinked={false}>
      <Button
        size="xs"
        variant="default"
        aria-label={texts.blocked.unblockOf(user)}
        loading={unblock.isPending}
        onClick={run}
      >
        {texts.blocked.unblock}
      </Button>
    </PersonRow>
  )
}
