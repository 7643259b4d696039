import { useParams } from '@tanstack/react-router'
import { ApiError } from 'portcullis-client'
import { Loadable } from '@/components/loadable'
import { NotFound } from '@/components/not-found'
import { useUser } from '@/lib/session-user'
import { usePerson } from '../api/people'
import { AskToFollow } from '../components/ask-to-follow'
import { PersonHead } from '../components/person-head'
import { PersonReviews } from '../components/person-reviews'
import styles from './person.module.css'

/** Somebody's page. Who does not exist and who is hidden look the same. */
export function PersonPage() {
  const { username } = useParams({ from: '/community/people/$username' })
  const person = usePerson(username)
  const user = useUser()
  if (person.error instanceof ApiError && person.error.status === 404) {
    return <NotFound>{user && <AskToFollow key={username} username={username} />}</NotFound>
  }
  return (
    <Loadable query={person} height={180}>
      {(found) => (
        <div className={styles.page}>
          <PersonHead person={found} />
          <PersonReviews username={found.username} />
        </div>
      )}
    </Loadable>
  )
}
