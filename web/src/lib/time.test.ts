import { act, renderHook } from '@testing-library/react'
import { afterEach, expect, test, vi } from 'vitest'
import { texts } from './texts'
import { formatAgo, formatWait, useCountdown } from './time'

afterEach(() => vi.useRealTimers())

test('times are told as a person would', () => {
  const now = Date.parse('2026-11-24T12:00:00Z')
  expect(formatAgo('2026-11-24T11:59:30.000001Z', now)).toBe(texts.time.now)
  expect(formatAgo('2026-11-24T11:58:59Z', now)).toBe('1 minute ago')
  expect(formatAgo('2026-11-24T09:30:00Z', now)).toBe('2 hours ago')
  expect(formatAgo('2026-11-23T11:00:00Z', now)).toBe('yesterday')
})

test('waits have minutes and seconds, and hours when there are any', () => {
  expect(formatWait(42)).toBe('0:42')
  expect(formatWait(3723)).toBe('1:02:03')
})

test('a countdown runs to nought and starts anew with a new end', () => {
  vi.useFakeTimers({ now: 0 })
  const { result, rerender } = renderHook(({ end }) => useCountdown(end), {
    initialProps: { end: 2000 as number | undefined },
  })
  expect(result.current).toBe(2)
  act(() => vi.advanceTimersByTime(1000))
  expect(result.current).toBe(1)
  act(() => vi.advanceTimersByTime(5000))
  expect(result.current).toBe(0)
  rerender({ end: 9000 })
  expect(result.current).toBe(3)
  rerender({ end: undefined })
  expect(result.current).toBe(0)
})
