import { type QueryClient, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { client } from '@/lib/client'
import type { Room, RoomInput } from '@/lib/community-types'
import { withParameters } from '@/lib/page'
import { useList } from '@/lib/use-list'

const PATH = '/api/rooms/'
/** How often what was said last is asked for while it is shown, in milliseconds. */
const FRESH = 30_000

/** The rooms that the caller is in, each with what was said last. */
export function useOwnRooms(search: string) {
  const parameters = { member: 'true', include: 'last_message', page_size: 50, search }
  return useList<Room>(['rooms'], withParameters(PATH, parameters), {
    keepsPrevious: true,
    refetchInterval: FRESH,
    staleTime: 0,
  })
}

/** The rooms that the caller may see and is not in. */
export function useOtherRooms(search: string) {
  return useList<Room>(['rooms'], withParameters(PATH, { member: 'false', search }), { keepsPrevious: true })
}

/** One room. */
export function useRoom(id: number) {
  return useQuery({ queryKey: ['room', id], queryFn: () => client.request<Room>('GET', pathOf(id)) })
}

/** Opens a room of the caller's, or changes the one called `id`. */
export function useSaveRoom(id?: number) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (input: RoomInput) =>
      id === undefined
        ? client.request<Room>('POST', PATH, input)
        : client.request<Room>('PATCH', pathOf(id), input),
    onSuccess: (room) => showRoom(queries, room),
  })
}

/** Goes into a public room. */
export function useJoinRoom(id: number) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: () => client.request<Room>('POST', `${pathOf(id)}join/`),
    onSuccess: (room) => showRoom(queries, room),
  })
}

/** Goes out of a room. */
export function useLeaveRoom(id: number) {
  const queries = useQueryClient()
  return useMutation({
    mutationKey: goingKey(id),
    mutationFn: () => client.request<Room>('POST', `${pathOf(id)}leave/`),
    onSuccess: () => forgetRoom(queries, id),
  })
}

/** Removes the caller's room with everything that was said in it. */
export function useDeleteRoom(id: number) {
  const queries = useQueryClient()
  return useMutation({
    mutationKey: goingKey(id),
    mutationFn: () => client.request<void>('DELETE', pathOf(id)),
    onSuccess: () => forgetRoom(queries, id),
  })
}

/** Nothing of a room that the caller is not in any more stays in memory. */
export function forgetRoom(queries: QueryClient, id: number): void {
  for (const key of ['room', 'members']) queries.removeQueries({ queryKey: [key, id] })
  for (const key of ['rooms', 'unread']) void queries.invalidateQueries({ queryKey: [key] })
}

/** Of the changes after which the caller is not in a room by their own will. */
export function goingKey(id: number) {
  return ['room-going', id]
}

export function pathOf(id: number): string {
  return `${PATH}${id}/`
}

function showRoom(queries: QueryClient, room: Room): void {
  queries.setQueryData(['room', room.id], room)
  for (const key of ['rooms', 'unread', 'members']) void queries.invalidateQueries({ queryKey: [key] })
}
