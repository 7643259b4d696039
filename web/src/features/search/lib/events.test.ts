import { afterEach, expect, test, vi } from 'vitest'
import { readEvents, type ServerEvent } from './events'

afterEach(() => void vi.useRealTimers())

async function read(text: string, size: number): Promise<ServerEvent[]> {
  const bytes = new TextEncoder().encode(text)
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size))
      controller.close()
    },
  })
  const events: ServerEvent[] = []
  for await (const event of readEvents(body)) events.push(event)
  return events
}

const STREAM = 'event: answer\ndata: {"text":"é 🙂"}\n\n: still here\n\nevent: done\ndata: {}\n\nevent: half'

test.each([1, 2, 7, 1000])('events are read in pieces of %i bytes; half of one is none', async (size) => {
  expect(await read(STREAM, size)).toEqual([
    { name: 'answer', data: '{"text":"é 🙂"}' },
    { name: 'done', data: '{}' },
  ])
})

test('a connection that is silent for long is given up; comments keep it', async () => {
  vi.useFakeTimers()
  const cancel = vi.fn()
  let say = (_text: string) => {}
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      say = (text) => controller.enqueue(new TextEncoder().encode(text))
    },
    cancel,
  })
  const end = vi.fn()
  void readEvents(body).next().then(end)
  for (let comment = 0; comment < 5; comment += 1) {
    say(': still here\n\n')
    await vi.advanceTimersByTimeAsync(15_000)
  }
  expect(end).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(5000)
  expect(end).toHaveBeenCalledWith({ value: undefined, done: true })
  expect(cancel).toHaveBeenCalled()
})
