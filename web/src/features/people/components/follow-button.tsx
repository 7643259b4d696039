import { Button } from '@mantine/core'
import { IconCheck, IconClock, IconUserPlus } from '@tabler/icons-react'
import type { FollowStatus, Person } from '@/lib/community-types'
import { texts } from '@/lib/texts'
import { toastProblem } from '@/lib/toast-problem'
import { toast } from '@/lib/toasts'
import { useFollow, useUnfollow } from '../api/people'

const LOOKS = {
  none: { text: texts.person.follow, label: texts.person.followOf, Icon: IconUserPlus, variant: 'filled' },
  pending: {
    text: texts.person.requested,
    label: texts.person.withdraw,
    Icon: IconClock,
    variant: 'default',
  },
  accepted: {
    text: texts.person.unfollow,
    label: texts.person.unfollowOf,
    Icon: IconCheck,
    variant: 'default',
  },
} as const

/** Says whether one follows, and changes it. What it says is what the server has answered. */
export function FollowButton({ person: { username, follow_status: status } }: { person: Person }) {
  const follow = useFollow(username)
  const unfollow = useUnfollow(username)
  const { text, label, Icon, variant } = LOOKS[status ?? 'none']
  const run = () => {
    if (status === null) {
      follow.mutate(undefined, {
        onSuccess: (answer) => toast(wordsFor(answer.status, username)),
        onError: toastProblem,
      })
    } else {
      const words = status === 'pending' ? texts.person.nowWithdrawn : texts.person.nowUnfollowed(username)
      unfollow.mutate(undefined, { onSuccess: () => toast(words), onError: toastProblem })
    }
  }
  return (
    <Button
      variant={variant}
      size="sm"
      leftSection={<Icon size={16} aria-hidden />}
      aria-label={label(username)}
      loading={follow.isPending || unfollow.isPending}
      onClick={run}
    >
      {text}
    </Button>
  )
}

function wordsFor(status: FollowStatus, username: string): string {
  return status === 'pending' ? texts.person.nowRequested(username) : texts.person.nowFollowing(username)
}
