import { ActionIcon } from '@mantine/core'
import { IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import { Confirm } from '@/components/confirm'
import { ButtonLink } from '@/components/text-link'
import type { Review } from '@/lib/community-types'
import { useUser } from '@/lib/session-user'
import { texts } from '@/lib/texts'
import { toastProblem } from '@/lib/toast-problem'
import { toast } from '@/lib/toasts'
import { useDeleteReview } from '../api/reviews'
import styles from './review-menu.module.css'

/** What the visitor may do with a review: its owner writes, staff remove. */
export function ReviewMenu({ review }: { review: Review }) {
  const user = useUser()
  const isOwn = user?.username === review.user
  if (!isOwn && !user?.is_staff) return null
  return (
    <div className={styles.menu}>
      {isOwn && (
        <ButtonLink to="/books/$id/review" params={{ id: String(review.book) }} variant="default" size="xs">
          {texts.review.edit}
        </ButtonLink>
      )}
      <DeleteButton review={review} />
    </div>
  )
}

function DeleteButton({ review }: { review: Review }) {
  const [isAsking, setIsAsking] = useState(false)
  const remove = useDeleteReview()
  const run = () =>
    remove.mutate(review, {
      onSuccess: () => toast(texts.review.deleted),
      onError: toastProblem,
      onSettled: () => setIsAsking(false),
    })
  return (
    <>
      <ActionIcon
        variant="default"
        size={30}
        aria-label={texts.review.deleteOf(review.user)}
        onClick={() => setIsAsking(true)}
      >
        <IconTrash size={16} aria-hidden />
      </ActionIcon>
      <Confirm
        isOpen={isAsking}
        onClose={() => setIsAsking(false)}
        title={texts.review.confirmTitle}
        cancel={texts.review.cancel}
        confirm={texts.review.delete}
        isRunning={remove.isPending}
        onConfirm={run}
      >
        {texts.review.confirmLead}
      </Confirm>
    </>
  )
}
