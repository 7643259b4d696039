import { useEffect, useState } from 'react'
import { texts } from './texts'

// The words around it are English; of English ways the visitor's own.
const locale = navigator.languages.find((language) => language.startsWith('en')) ?? 'en-GB'
const day = new Intl.DateTimeFormat(locale, { dateStyle: 'long' })
const moment = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' })
const clock = new Intl.DateTimeFormat(locale, { timeStyle: 'short' })
const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })

/** "24 November 2026". */
export function formatDay(time: string | number): string {
  return day.format(new Date(time))
}

/** Day and time, for titles. */
export function formatMoment(time: string): string {
  return moment.format(new Date(time))
}

/** "14:05". */
export function formatTime(time: string): string {
  return clock.format(new Date(time))
}

/** "Today", "Yesterday" or the date. */
export function formatDayName(time: string, now: number = Date.now()): string {
  const date = new Date(time)
  const yesterday = new Date(now)
  yesterday.setDate(yesterday.getDate() - 1)
  if (date.toDateString() === new Date(now).toDateString()) return texts.chat.today
  return date.toDateString() === yesterday.toDateString() ? texts.chat.yesterday : formatDay(time)
}

/** "3 hours ago"; under a minute "just now". */
export function formatAgo(time: string, now: number = Date.now()): string {
  const seconds = Math.round((new Date(time).getTime() - now) / 1000)
  const units = [
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60],
  ] as const
  const unit = units.find(([, size]) => Math.abs(seconds) >= size)
  return unit ? relative.format(Math.trunc(seconds / unit[1]), unit[0]) : texts.time.now
}

/** "0:42" or "1:02:03". */
export function formatWait(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}

/** Whole seconds until `end` (milliseconds since the epoch), drawn anew each second; 0 when it is over. */
export function useCountdown(end: number | undefined): number {
  const [now, setNow] = useState(Date.now)
  const left = end === undefined ? 0 : Math.max(0, Math.ceil((end - now) / 1000))
  const runs = end !== undefined && left > 0
  useEffect(() => {
    setNow(Date.now())
    if (!runs) return
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [runs])
  return left
}
