import { Button, Text } from '@mantine/core'
import { IconClock, IconUserPlus } from '@tabler/icons-react'
import { ApiError } from 'portcullis-client'
import { useState } from 'react'
import { texts } from '@/lib/texts'
import { toastProblem } from '@/lib/toast-problem'
import { toast } from '@/lib/toasts'
import { useFollow, useUnfollow } from '../api/people'
import styles from './ask-to-follow.module.css'

/**
 * On the page that says that there is nothing: profiles for followers cannot be seen before one follows, so
 * this is where one asks. It stands there for every name, and so tells nothing.
 */
export function AskToFollow({ username }: { username: string }) {
  const [isAsked, setIsAsked] = useState(false)
  const follow = useFollow(username)
  const unfollow = useUnfollow(username)
  const ask = () =>
    follow.mutate(undefined, {
      onSuccess: () => {
        setIsAsked(true)
        toast(texts.person.nowRequested(username))
      },
      onError: (error) => {
        if (error instanceof ApiError && error.status === 404) toast(texts.person.cannotFollow)
        else toastProblem(error)
      },
    })
  const withdraw = () =>
    unfollow.mutate(undefined, {
      onSuccess: () => {
        setIsAsked(false)
        toast(texts.person.nowWithdrawn)
      },
      onError: toastProblem,
    })
  return (
    <div className={styles.ask}>
      <Text size="sm">{texts.person.perhapsHidden(username)}</Text>
      {isAsked ? (
        <Button
          variant="default"
          leftSection={<IconClock size={18} aria-hidden />}
          aria-label={texts.person.withdraw(username)}
          loading={unfollow.isPending}
          onClick={withdraw}
        >
          {texts.person.requested}
        </Button>
      ) : (
        <Button
          variant="default"
          leftSection={<IconUserPlus size={18} aria-hidden />}
          loading={follow.isPending}
          onClick={ask}
        >
          {texts.person.ask}
        </Button>
      )}
    </div>
  )
}
