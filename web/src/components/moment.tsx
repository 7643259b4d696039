import { formatAgo, formatMoment } from '@/lib/time'

/** How long ago something was; the exact time on pointing at it. */
export function Moment({ time }: { time: string }) {
  return (
    <time dateTime={time} title={formatMoment(time)}>
      {formatAgo(time)}
    </time>
  )
}
