import { expect, test } from 'vitest'
import { readEvents, type ServerEvent } from './events'

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
