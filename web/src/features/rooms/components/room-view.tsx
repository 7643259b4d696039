import { Button } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { IconArrowLeft, IconUsers } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useId, useState } from 'react'
import { PageHeading } from '@/components/page-heading'
import type { Room } from '@/lib/community-types'
import { texts } from '@/lib/texts'
import { ConversationPane } from './conversation-pane'
import { MembersPanel } from './members-panel'
import { RoomMark } from './room-mark'
import styles from './room-view.module.css'

/** On wide screens the members stand beside what is said, on others in its place. */
const WIDE = '(min-width: 60rem)'

/** A room from inside. */
export function RoomView({ room, onGone }: { room: Room; onGone: () => void }) {
  const isWide = useMediaQuery(WIDE, undefined, { getInitialValueInEffect: false })
  const [chosen, setChosen] = useState<boolean>()
  const isOpen = chosen ?? isWide
  const panelId = useId()
  return (
    <div className={styles.room} data-fills data-panel={isOpen}>
      <div className={styles.head}>
        <Link to="/rooms" className={styles.back} aria-label={texts.room.back} title={texts.room.back}>
          <IconArrowLeft size={20} aria-hidden />
        </Link>
        <RoomMark room={room} />
        <PageHeading title={room.name} />
        <Button
          variant="default"
          size="sm"
          aria-expanded={isOpen}
          aria-controls={panelId}
          onClick={() => setChosen(!isOpen)}
        >
          <IconUsers size={16} aria-hidden />
          <span className={styles.label}>{texts.room.members}</span>
        </Button>
      </div>
      <ConversationPane room={room} isCovered={isOpen && !isWide} onGone={onGone} />
      {isOpen && <MembersPanel id={panelId} room={room} />}
    </div>
  )
}
