import { act, renderHook } from '@testing-library/react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { useAskOlder } from './use-ask-older'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const later = (milliseconds: number) => act(() => vi.advanceTimersByTimeAsync(milliseconds))

test('after a failure nothing is asked for by itself for a while, and by the button at once', async () => {
  const loadOlder = vi.fn(() => Promise.reject(new Error('lost')))
  const { result } = renderHook(() => useAskOlder(true, loadOlder))
  result.current.askByItself()
  await later(0)
  result.current.askByItself()
  expect(loadOlder).toHaveBeenCalledTimes(1)
  result.current.ask()
  await later(0)
  expect(loadOlder).toHaveBeenCalledTimes(2)
  await later(10_000)
  result.current.askByItself()
  expect(loadOlder).toHaveBeenCalledTimes(3)
})

test('what asks stays the same function, so that no effect runs again', async () => {
  const loadOlder = vi.fn(() => Promise.reject(new Error('lost')))
  const { result, rerender } = renderHook(() => useAskOlder(true, loadOlder))
  const { askByItself } = result.current
  askByItself()
  await later(0)
  rerender()
  expect(result.current.askByItself).toBe(askByItself)
})

test('where there is nothing earlier nothing is asked for', () => {
  const loadOlder = vi.fn(() => Promise.resolve())
  const { result } = renderHook(() => useAskOlder(false, loadOlder))
  result.current.ask()
  result.current.askByItself()
  expect(loadOlder).not.toHaveBeenCalled()
})
