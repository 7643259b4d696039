import { Button } from '@mantine/core'
import { IconUserCheck } from '@tabler/icons-react'
import { Empty } from '@/components/empty'
import { MoreList } from '@/components/more-list'
import { PageHeading } from '@/components/page-heading'
import type { FollowRequest } from '@/lib/community-types'
import { texts } from '@/lib/texts'
import { toastProblem } from '@/lib/toast-problem'
import { toast } from '@/lib/toasts'
import { useAnswerRequest, useFollowRequests } from '../api/requests'
import { PersonRow } from '../components/person-row'

/** Who would like to follow. */
export function FollowRequestsPage() {
  const requests = useFollowRequests()
  const { title, lead, none, noneLead } = texts.requests
  return (
    <>
      <PageHeading title={title} lead={lead} />
      <MoreList
        list={requests}
        look="lines"
        height={72}
        keyOf={({ id }) => id}
        empty={<Empty Icon={IconUserCheck} title={none} lead={noneLead} />}
      >
        {(request) => <RequestRow request={request} />}
      </MoreList>
    </>
  )
}

function RequestRow({ request: { id, user, created_at } }: { request: FollowRequest }) {
  const answer = useAnswerRequest()
  const give = (kind: 'approve' | 'reject') =>
    answer.mutate(
      { id, answer: kind },
      {
        onSuccess: () => toast(kind === 'approve' ? texts.requests.approved(user) : texts.requests.rejected),
        onError: toastProblem,
      },
    )
  const running = answer.isPending ? answer.variables.answer : undefined
  return (
    <PersonRow username={user} word={texts.requests.asked} time={created_at}>
      <Button
        size="xs"
        aria-label={texts.requests.approveOf(user)}
        loading={running === 'approve'}
        disabled={running === 'reject'}
        onClick={() => give('approve')}
      >
        {texts.requests.approve}
      </Button>
      <Button
        size="xs"
        variant="default"
        aria-label={texts.requests.rejectOf(user)}
        loading={running === 'reject'}
        disabled={running === 'approve'}
        onClick={() => give('reject')}
      >
        {texts.requests.reject}
      </Button>
    </PersonRow>
  )
}
