import { Badge, Button } from '@mantine/core'
import { IconDeviceDesktop, IconDeviceMobile } from '@tabler/icons-react'
import type { SessionInfo } from 'portcullis-client'
import { toProblem } from '@/lib/problem'
import { texts } from '@/lib/texts'
import { formatAgo, formatMoment } from '@/lib/time'
import { toast } from '@/lib/toasts'
import { useEndSession } from '../api/sessions'
import styles from './session-list.module.css'

/** One row for each session: device, network, since when and when last. */
export function SessionList({ sessions }: { sessions: readonly SessionInfo[] }) {
  return (
    <ul className={styles.list}>
      {sessions.map((session) => (
        <SessionRow key={session.id} session={session} />
      ))}
    </ul>
  )
}

const MOBILE = /android|iphone|ipad|ios/i

function SessionRow({ session }: { session: SessionInfo }) {
  const Icon = MOBILE.test(session.device) ? IconDeviceMobile : IconDeviceDesktop
  const device = session.device || texts.sessions.unknownDevice
  return (
    <li className={styles.row}>
      <Icon size={28} stroke={1.5} aria-hidden />
      <div>
        <p className={styles.device}>
          {device}
          {session.current && (
            <Badge variant="light" size="sm" tt="none">
              {texts.sessions.current}
            </Badge>
          )}
        </p>
        <p className={styles.details}>
          <span>
            {texts.sessions.network} {session.ip}
          </span>
          <span>
            {texts.sessions.created} <Moment time={session.created} />
          </span>
          <span>
            {texts.sessions.seen} <Moment time={session.last_seen} />
          </span>
        </p>
      </div>
      {!session.current && <EndButton id={session.id} device={device} />}
    </li>
  )
}

function Moment({ time }: { time: string }) {
  return (
    <time dateTime={time} title={formatMoment(time)}>
      {formatAgo(time)}
    </time>
  )
}

function EndButton({ id, device }: { id: SessionInfo['id']; device: string }) {
  const end = useEndSession()
  const run = () =>
    end.mutate(id, {
      onSuccess: () => toast(texts.sessions.ended),
      onError: (error) => toast(toProblem(error, []).messages[0] ?? texts.problem.unknown),
    })
  return (
    <Button
      variant="default"
      size="xs"
      loading={end.isPending}
      onClick={run}
      aria-label={texts.sessions.endOf(device)}
    >
      {texts.sessions.end}
    </Button>
  )
}
