import { vi } from 'vitest'

/** The outcome of a promise once fake time has moved on, by at most `milliseconds`. */
export async function settled<T>(promise: Promise<T>, milliseconds = 60_000): Promise<T> {
  let isDone = false
  const done = () => {
    isDone = true
  }
  promise.then(done, done)
  for (let passed = 0; !isDone && passed < milliseconds; passed += 5) await vi.advanceTimersByTimeAsync(5)
  if (!isDone) throw new Error(`still waiting after ${milliseconds} ms`)
  return promise
}

/** The error of a promise that must fail. */
export async function failure(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const outcome = promise.then(
    () => null,
    (error: Error & Record<string, unknown>) => error,
  )
  const error = await settled(outcome)
  if (!error) throw new Error('it did not fail')
  return error
}

/** A promise and the way to keep it. */
export function gate(): { until: Promise<void>; open: () => void } {
  const opener: { open?: () => void } = {}
  const until = new Promise<void>((resolve) => {
    opener.open = resolve
  })
  return { until, open: () => opener.open?.() }
}

export const minutes = (count: number): number => count * 60_000
