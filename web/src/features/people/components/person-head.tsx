import { IconPencil } from '@tabler/icons-react'
import { useLocation } from '@tanstack/react-router'
import { Avatar } from '@/components/avatar'
import { PageHeading } from '@/components/page-heading'
import { ButtonLink } from '@/components/text-link'
import type { Person } from '@/lib/community-types'
import { useUser } from '@/lib/session-user'
import { texts } from '@/lib/texts'
import { BlockButton } from './block-button'
import { FollowButton } from './follow-button'
import styles from './person-head.module.css'

/** Picture, name, words, counts, and what the visitor may do. */
export function PersonHead({ person }: { person: Person }) {
  const user = useUser()
  const isOwn = user?.username === person.username
  return (
    <div className={styles.head}>
      <Avatar username={person.username} url={person.avatar_url} size="large" />
      <div className={styles.words}>
        <PageHeading title={person.username} />
        <ul className={styles.counts}>
          <li>
            <strong>{person.followers_count}</strong> {texts.person.followers(person.followers_count)}
          </li>
          <li>
            <strong>{person.following_count}</strong> {texts.person.following}
          </li>
        </ul>
        <p className={styles.bio} data-empty={!person.bio}>
          {person.bio || (isOwn ? texts.person.ownNoBio : texts.person.noBio)}
        </p>
        <div className={styles.actions}>
          {isOwn && <EditLink />}
          {user && !isOwn && (
            <>
              <FollowButton person={person} />
              <BlockButton username={person.username} />
            </>
          )}
          {!user && <SignInLink />}
        </div>
      </div>
    </div>
  )
}

function EditLink() {
  return (
    <ButtonLink
      to="/settings/profile"
      variant="default"
      size="sm"
      leftSection={<IconPencil size={16} aria-hidden />}
    >
      {texts.person.edit}
    </ButtonLink>
  )
}

function SignInLink() {
  const next = useLocation({ select: ({ pathname }) => pathname })
  return (
    <ButtonLink to="/sign-in" search={{ next }} variant="default" size="sm">
      {texts.person.signIn}
    </ButtonLink>
  )
}
