import { expect, test } from 'vitest'
import { toRows } from './message-rows'

function message(seq: number, user: string | null, time: string) {
  // In the zone of whoever runs this, so that days are theirs.
  const timestamp = new Date(time).toISOString()
  return { id: seq, seq, user, text: `text ${seq}`, message: '', timestamp }
}

function outline(rows: ReturnType<typeof toRows>): string[] {
  return rows.map((row) =>
    row.kind === 'message' ? `${row.message.seq}${row.isFirst ? '!' : ''}` : row.kind,
  )
}

test('messages stand by day, and those of one person in a row together', () => {
  const rows = toRows([
    message(1, 'ada', '2026-11-23T23:58:00'),
    message(2, 'ada', '2026-11-23T23:59:00'),
    message(3, 'ada', '2026-11-24T00:00:00'),
    message(4, 'bo', '2026-11-24T00:01:00'),
    message(5, 'bo', '2026-11-24T00:02:00'),
    message(6, 'bo', '2026-11-24T00:30:00'),
  ])
  expect(outline(rows)).toEqual(['day', '1!', '2', 'day', '3!', '4!', '5', '6!'])
})

test('where clocks differ no day comes twice', () => {
  const rows = toRows([
    message(1, 'ada', '2026-11-23T23:59:59'),
    message(2, 'ada', '2026-11-24T00:00:01'),
    message(3, 'ada', '2026-11-23T23:59:59'),
    message(4, 'ada', '2026-11-24T00:00:02'),
  ])
  expect(outline(rows)).toEqual(['day', '1!', 'day', '2!', '3', '4'])
})

test('a line stands before the first new message of somebody else, if it is there', () => {
  const messages = [message(7, 'ada', '2026-11-24T10:00:00'), message(8, 'ada', '2026-11-24T10:00:01')]
  const outlineOf = (first: number, last: number, reader: string) =>
    outline(toRows(messages, { first, last, reader }))
  expect(outlineOf(8, 8, 'bo')).toEqual(['day', '7!', 'new', '8!'])
  expect(outlineOf(3, 8, 'bo')).toEqual(['day', 'new', '7!', '8'])
  expect(outlineOf(7, 8, 'ada')).toEqual(['day', '7!', '8'])
  expect(outlineOf(3, 6, 'bo')).toEqual(['day', '7!', '8'])
})

test('keys stay when earlier messages come, and no two are the same', () => {
  const later = [message(2, 'ada', '2026-11-24T10:01:00'), message(3, null, '2026-11-24T10:02:00')]
  const all = toRows([message(1, 'ada', '2026-11-24T10:00:00'), ...later]).map(({ key }) => key)
  expect(new Set(all).size).toBe(all.length)
  expect(all).toEqual(expect.arrayContaining(toRows(later).map(({ key }) => key)))
  expect(toRows([])).toEqual([])
})
