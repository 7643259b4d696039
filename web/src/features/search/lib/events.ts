/** One of Server-Sent Events. */
export interface ServerEvent {
  name: string
  data: string
}

/** The server says something every 5 seconds, if only a comment: a connection silent for so long is dead. */
const SILENCE = 20_000

/**
 * Reads Server-Sent Events as they come (HTML standard §9.2.6, as far as our server uses it). A dead connection
 * ends them.
 */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder()
  const reader = body.getReader()
  let rest = ''
  try {
    for (;;) {
      const { value, done } = await readSoon(reader)
      if (done) return
      rest += decoder.decode(value, { stream: true })
      const blocks = rest.split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        const event = parse(block)
        if (event) yield event
      }
    }
  } finally {
    // Whoever stops reading ends the answer.
    void reader.cancel().catch(() => undefined)
  }
}

async function readSoon(reader: ReadableStreamDefaultReader<Uint8Array>) {
  let timer: ReturnType<typeof setTimeout> | undefined
  const silent = new Promise<ReadableStreamReadDoneResult<Uint8Array>>((resolve) => {
    timer = setTimeout(() => resolve({ value: undefined, done: true }), SILENCE)
  })
  try {
    return await Promise.race([reader.read(), silent])
  } finally {
    clearTimeout(timer)
  }
}

/** Null for a comment, which only keeps the connection alive. */
function parse(block: string): ServerEvent | null {
  const lines = block.split('\n')
  const values = (field: string) =>
    lines
      .filter((line) => line.startsWith(`${field}:`))
      .map((line) => line.slice(field.length + 1).trimStart())
  const data = values('data')
  return data.length > 0 ? { name: values('event').at(-1) ?? 'message', data: data.join('\n') } : null
}
