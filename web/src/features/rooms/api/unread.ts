import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { client } from '@/lib/client'
import type { UnreadList } from '@/lib/community-types'
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
  const { mutate } = useSendMark(id)
  const told = useRef(0)
  const dueAt = useRef<number>(undefined)
  useEffect(() => {
    if (!isSeen || seq <= told.current) return
    dueAt.current ??= Date.now() + FIRST
    const tell = () => {
      told.current = seq
      dueAt.current = Date.now() + PAUSE
      mutate(seq)
    }
    const timer = setTimeout(tell, dueAt.current - Date.now())
    return () => clearTimeout(timer)
  }, [seq, isSeen, mutate])
  useEffect(() => {
    if (!isSeen) return
    readRoom.set(id)
    return () => readRoom.set(undefined)
  }, [id, isSeen])
  useTellOnLeaving(seq, isSeen, told, mutate)
}

/** What was seen in the pause between two marks is told when the reader goes. */
function useTellOnLeaving(
  seq: number,
  isSeen: boolean,
  told: { readonly current: number },
  mutate: (seq: number) => void,
): void {
  const seen = useRef(0)
  useEffect(() => {
    if (isSeen) seen.current = seq
  }, [seq, isSeen])
  useEffect(
    () => () => {
      if (seen.current > told.current) mutate(seen.current)
    },
    [told, mutate],
  )
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
