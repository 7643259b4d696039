import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'
import { client } from '@/lib/client'
import type { UnreadList } from '@/lib/community-types'
import { currentUserId } from '@/lib/session'
import { Store, useStore } from '@/lib/store'
import { pathOf } from './rooms'

const KEY = ['unread']
/** How often the counts are asked for, in milliseconds. */
const FRESH = 30_000
/** Between two marks of the same room, in milliseconds: a busy room must not use up the calls of an hour. */
const PAUSE = 10_000
const FIRST = 300

/** The room whose newest message is before the reader's eyes: nothing in it is unread. */
const readRoom = new Store<number | undefined>(undefined)

/** How many messages are new, by the ids of rooms. */
export function useUnread(enabled = true): ReadonlyMap<number, number> {
  const read = useStore(readRoom)
  const { data } = useQuery({
    queryKey: KEY,
    enabled,
    refetchInterval: FRESH,
    queryFn: () => client.request<UnreadList>('GET', '/api/rooms/unread/'),
  })
  const rows = data?.results.filter(({ room, unread }) => unread > 0 && room !== read) ?? []
  return new Map(rows.map(({ room, unread }) => [room, unread]))
}

/** Marks what is before the reader's eyes as read, at once and then now and again. */
export function useMarkRead(id: number, seq: number, isSeen: boolean): void {
  const { told, tell } = useTell(id)
  const dueAt = useRef<number>(undefined)
  useEffect(() => {
    if (!isSeen || seq <= told.current) return
    dueAt.current ??= Date.now() + FIRST
    const tellNow = () => {
      dueAt.current = Date.now() + PAUSE
      tell(seq)
    }
    const timer = setTimeout(tellNow, dueAt.current - Date.now())
    return () => clearTimeout(timer)
  }, [seq, isSeen, told, tell])
  useEffect(() => {
    if (!isSeen) return
    readRoom.set(id)
    return () => readRoom.set(undefined)
  }, [id, isSeen])
  useTellOnLeaving(seq, isSeen, tell)
}

/** What was seen in the pause between two marks is told when the reader goes, or puts the page away. */
function useTellOnLeaving(seq: number, isSeen: boolean, tell: (seq: number) => void): void {
  const seen = useRef(0)
  useEffect(() => {
    if (isSeen) seen.current = seq
  }, [seq, isSeen])
  useEffect(() => {
    const tellSeen = () => tell(seen.current)
    const onVisibility = () => document.visibilityState === 'hidden' && tellSeen()
    document.addEventListener('visibilitychange', onVisibility)
    return () => {
      document.removeEventListener('visibilitychange', onVisibility)
      tellSeen()
    }
  }, [tell])
}

/** Tells the server up to which message one has read; nothing that it knows. */
function useTell(id: number) {
  const { mutateAsync } = useSendMark(id)
  const told = useRef(0)
  const [reader] = useState(currentUserId)
  const tell = useCallback(
    (seq: number) => {
      const before = told.current
      // After a sign-in in another tab it would be told in the name of somebody else.
      if (seq <= before || currentUserId() !== reader) return
      told.current = seq
      mutateAsync(seq).catch(() => {
        if (told.current === seq) told.current = before
      })
    },
    [reader, mutateAsync],
  )
  return { told, tell }
}

function useSendMark(id: number) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (seq: number) =>
      client.request<UnreadList['results'][number]>('POST', `${pathOf(id)}read/`, { seq }),
    onSuccess: (left) =>
      queries.setQueryData<UnreadList>(
        KEY,
        (list) => list && { results: list.results.map((row) => (row.room === id ? left : row)) },
      ),
  })
}
