import { IconMessages, IconSearchOff } from '@tabler/icons-react'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useId } from 'react'
import { Empty } from '@/components/empty'
import { MoreList } from '@/components/more-list'
import { PageHeading } from '@/components/page-heading'
import { SearchField } from '@/components/search-field'
import { useUser } from '@/lib/session-user'
import { texts } from '@/lib/texts'
import { useOtherRooms, useOwnRooms } from '../api/rooms'
import { useUnread } from '../api/unread'
import { NewRoom } from '../components/new-room'
import { OtherRoom, OwnRoom } from '../components/room-row'
import { SignedOut } from '../components/signed-out'
import styles from './rooms.module.css'

const t = texts.rooms

/** The caller's rooms, and those to join. The address keeps what is looked for. */
export function RoomsPage() {
  const { search = '' } = useSearch({ from: '/community/writing/rooms' })
  const navigate = useNavigate({ from: '/rooms' })
  const change = useCallback(
    (typed: string) =>
      void navigate({ search: { search: typed || undefined }, replace: true, resetScroll: false }),
    [navigate],
  )
  if (!useUser()) return <SignedOut />
  return (
    <div className={styles.page}>
      <div className={styles.top}>
        <PageHeading title={t.title} lead={t.lead} />
        <NewRoom />
      </div>
      <search className={styles.search}>
        <SearchField label={t.search} clear={t.clear} search={search} onChange={change} />
      </search>
      <OwnRooms search={search} />
      <OtherRooms search={search} />
    </div>
  )
}

function OwnRooms({ search }: { search: string }) {
  const id = useId()
  const rooms = useOwnRooms(search)
  const unread = useUnread()
  const empty = search ? (
    <NothingFound title={t.noOwnFound(search)} />
  ) : (
    <Empty Icon={IconMessages} title={t.noneOwn} lead={t.noneOwnLead} />
  )
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{t.own}</h2>
      <MoreList list={rooms} look="lines" height={76} keyOf={(room) => room.id} empty={empty}>
        {(room) => <OwnRoom room={room} unread={unread.get(room.id) ?? 0} />}
      </MoreList>
    </section>
  )
}

function OtherRooms({ search }: { search: string }) {
  const id = useId()
  const rooms = useOtherRooms(search)
  const empty = search ? (
    <NothingFound title={t.noOthersFound(search)} />
  ) : (
    <Empty Icon={IconMessages} title={t.noneOthers} lead={t.noneOthersLead} />
  )
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{t.others}</h2>
      <MoreList list={rooms} look="lines" height={76} keyOf={(room) => room.id} empty={empty}>
        {(room) => <OtherRoom room={room} />}
      </MoreList>
    </section>
  )
}

function NothingFound({ title }: { title: string }) {
  return (
    <div role="status">
      <Empty Icon={IconSearchOff} title={title} />
    </div>
  )
}
