import { createServer, type ServerResponse } from 'node:http'

/** A server that speaks Anthropic's streaming API, as far as ours listens to it. */
export interface Claude {
  url: string
  /** What it says to every question from now on; it stops before the last piece until `finish` or `cut`. */
  say(...pieces: string[]): void
  /** The book that it put first at last. */
  best(): number
  /** Lets what is held go on to its end. */
  finish(): void
  /** Breaks the connection in the middle. */
  cut(): void
  stop(): Promise<void>
}

export async function startClaude(): Promise<Claude> {
  let said: string[] = []
  let best = 0
  const held: { response: ServerResponse; last: string }[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += part
    const offered = JSON.parse(JSON.parse(body).messages[0].content).books.map(({ id }: { id: number }) => id)
    const ranking = offered.reverse().map((id: number, index: number) => ({ id, score: 90 - index }))
    best = ranking[0].id
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    const pieces = [`${JSON.stringify({ books: ranking })}\n`, ...said]
    for (const piece of pieces.slice(0, -1)) response.write(delta(piece))
    held.push({ response, last: pieces.at(-1) ?? '' })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as { port: number }
  return {
    url: `http://127.0.0.1:${port}`,
    say(...pieces) {
      said = pieces
    },
    best: () => best,
    finish() {
      for (const { response, last } of held.splice(0)) response.end(delta(last) + END)
    },
    cut() {
      for (const { response } of held.splice(0)) response.destroy()
    },
    stop: () =>
      new Promise((done) => {
        server.closeAllConnections()
        server.close(() => done())
      }),
  }
}

function delta(text: string): string {
  return event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })
}

function event(data: { type: string; [field: string]: unknown }): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`
}

const STOPPED = { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: {} }
const END = event(STOPPED) + event({ type: 'message_stop' })
