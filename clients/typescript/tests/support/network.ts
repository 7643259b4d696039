import type { Answer, FakeServer, Jar, Received } from './server.js'

/** What happens to one call. `lost`: the server does its work, and the answer never arrives. */
export type Fate = 'offline' | 'lost' | 'silent' | Answer | { html: string } | Gate

/** Holds a call up: `before` it reaches the server, or the answer `after`. */
export interface Gate {
  hold: 'before' | 'after'
  until: Promise<void>
  /** Instead of what the server says. */
  answer?: Answer
}

const LATENCY = 20

/** The way between a browser and the server, which can be cut. */
export class FakeNetwork {
  isOnline = true
  readonly #server: FakeServer
  readonly #fates = new Map<string, Fate[]>()

  constructor(server: FakeServer) {
    this.#server = server
  }

  /** The fates of the next calls to a path. */
  plan(path: string, ...fates: Fate[]): void {
    this.#fates.set(path, [...(this.#fates.get(path) ?? []), ...fates])
  }

  /** `fetch` of a page with these cookies. */
  fetch(origin: string, jar: Jar): typeof fetch {
    return async (input, init) => {
      const request = new Request(input, init)
      const url = new URL(request.url)
      const sendsCookies = request.credentials === 'include' || url.origin === origin
      const body = parse(await request.text())
      const call = { method: request.method, path: url.pathname, headers: request.headers, body }
      return this.#carry({ ...call, jar: sendsCookies ? jar : null }, jar, request.signal)
    }
  }

  async #carry(call: Received, jar: Jar, signal: AbortSignal): Promise<Response> {
    const fate = this.#fates.get(call.path)?.shift()
    const answer = await this.#there(call, fate, signal)
    await pause(LATENCY, signal)
    if (fate === 'lost') throw new TypeError('fetch failed')
    if (typeof fate === 'object' && 'html' in fate) return new Response(fate.html, { status: 200 })
    if (call.jar && answer.cookies) Object.assign(jar, answer.cookies)
    const body = answer.body === undefined ? null : JSON.stringify(answer.body)
    return new Response(body, { status: answer.status, headers: answer.headers ?? {} })
  }

  async #there(call: Received, fate: Fate | undefined, signal: AbortSignal): Promise<Answer> {
    // A browser adds its cookies when it sends, not when the call arrives.
    const asSent = { ...call, jar: call.jar && { ...call.jar } }
    await pause(LATENCY, signal)
    if (!this.isOnline || fate === 'offline') throw new TypeError('fetch failed')
    if (fate === 'silent') await pause(1e9, signal)
    if (isGate(fate) && fate.hold === 'before') await fate.until
    const planned = isGate(fate) ? fate.answer : isAnswer(fate) ? fate : undefined
    const answer = planned ? this.#note(asSent, planned) : this.#server.handle(asSent)
    if (isGate(fate) && fate.hold === 'after') await fate.until
    return answer
  }

  #note(call: Received, answer: Answer): Answer {
    this.#server.received.push(call)
    return answer
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new DOMException('aborted', 'AbortError'))
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort)
    setTimeout(resolve, milliseconds)
  })
}

function parse(text: string): Record<string, string> {
  return text === '' ? {} : JSON.parse(text)
}

function isGate(fate: Fate | undefined): fate is Gate {
  return typeof fate === 'object' && 'hold' in fate
}

function isAnswer(fate: Fate | undefined): fate is Answer {
  return typeof fate === 'object' && 'status' in fate
}
