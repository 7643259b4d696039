import { backOff } from './back-off.js'
import type {
  ChatMessage,
  ClosedReason,
  Conversation,
  ConversationSnapshot,
  ConversationState,
} from './chat.js'
import type { ChatEnvironment, PageChange } from './chat-environment.js'
import { ApiError } from './errors.js'
import { Outbox, trim } from './outbox.js'
import { type History, RoomCalls, reaches } from './room-calls.js'
import { RoomSocket } from './room-socket.js'
import { Timeline } from './timeline.js'
import type { PortcullisClient } from './types.js'

/** A socket that lived for so long was no failure: the next attempt is a first one. */
const STABLE = 5000
/** A socket that the server ends sooner with 4001 was never let in. */
const LET_IN = 1000
/** The code for a socket that was not read from. */
const TOO_SLOW = 1013
/** So many in a row, each with a new ticket, mean that the session is over. */
const MAX_REFUSALS = 4
/** A text that has not come back by then is on a connection that is dead. */
const ANSWER = 20_000
/** Within this time the server stores what it has received, so that the history tells whether it has. */
const STORING = 1000
/** After so long without a frame the history is asked whether there was nothing to hear. */
const QUIET = 60_000
/** A socket of a page that was hidden for so long may be dead without anybody having said so. */
const LONG_HIDDEN = 60_000

const CLOSED = 'The conversation is closed.'
const TOO_LONG = 'The message is too long.'
const IN_DOUBT = 'Perhaps this was sent after all: too much was said since to tell.'

/**
 * One room. Every attempt reads the newest history, takes a ticket, and opens a socket that goes on where the
 * history ends: so nothing is missed, however long nobody was there.
 */
export class LiveConversation implements Conversation {
  readonly #environment: ChatEnvironment
  readonly #client: PortcullisClient
  readonly #calls: RoomCalls
  readonly #timeline = new Timeline()
  readonly #outbox = new Outbox()
  readonly #listeners = new Set<() => void>()
  readonly #stops: (() => void)[]
  #state: ConversationState = { status: 'connecting' }
  #snapshot: ConversationSnapshot
  #userId: number | null
  /** Counts the attempts: what belongs to an earlier one is void. */
  #turn = 0
  #socket: RoomSocket | null = null
  /** Attempts in a row that failed, and sockets that were not let in although their ticket was new. */
  #failures = 0
  #refusals = 0
  #hiddenAt: number | null = null
  #older: Promise<void> | null = null
  #retryTimer: ReturnType<typeof setTimeout> | undefined
  #answerTimer: ReturnType<typeof setTimeout> | undefined
  #paceTimer: ReturnType<typeof setTimeout> | undefined
  #quietTimer: ReturnType<typeof setTimeout> | undefined

  constructor(environment: ChatEnvironment, client: PortcullisClient, roomId: number) {
    this.#environment = environment
    this.#client = client
    this.#calls = new RoomCalls(client, roomId)
    this.#userId = userIdOf(client)
    this.#snapshot = this.#look()
    this.#stops = [
      environment.onPageChange((change) => this.#onPageChange(change)),
      client.subscribe(() => this.#onSession()),
    ]
    void this.#attempt()
  }

  readonly getSnapshot = (): ConversationSnapshot => this.#snapshot

  readonly subscribe = (listener: () => void): (() => void) => {
    const entry = () => listener()
    this.#listeners.add(entry)
    return () => void this.#listeners.delete(entry)
  }

  readonly send = (text: string): void => {
    const trimmed = trim(text)
    if (trimmed === '') return
    this.#outbox.add(trimmed)
    this.#flush()
  }

  readonly resend = (key: string): void => {
    this.#outbox.resend(key)
    this.#flush()
  }

  readonly discard = (key: string): void => {
    this.#outbox.discard(key)
    this.#publish()
  }

  readonly loadOlder = (): Promise<void> => {
    this.#older ??= this.#loadOlder().finally(() => {
      this.#older = null
      this.#publish()
    })
    this.#publish()
    return this.#older
  }

  readonly reconnect = (): void => {
    const state = this.#state
    if (state.status === 'waiting' && this.#retryTimer !== undefined) void this.#attempt()
    if (state.status === 'closed' && canReopen(state.reason)) this.#renew()
  }

  readonly close = (): void => this.#end('closed')

  async #attempt(): Promise<void> {
    const turn = this.#hangUp()
    try {
      if (this.#outbox.isInDoubt) await pause(STORING)
      if (turn !== this.#turn) return
      const history = await this.#calls.newest(this.#timeline.last)
      if (turn !== this.#turn) return
      this.#merge(history)
      // Afterwards, since a ticket is short-lived and a long history takes its time.
      const ticket = await this.#calls.ticket()
      if (turn !== this.#turn) return
      this.#open(this.#calls.socketUrl(ticket, this.#timeline.last ?? 0))
    } catch (error) {
      if (turn === this.#turn) this.#fail(error)
    }
  }

  #merge(history: History): void {
    const { last } = this.#timeline
    for (const message of this.#timeline.merge(history)) this.#settle(message)
    // What was sent may be in the part that was not read: sent again by itself it might be there twice.
    if (!reaches(history.rows, last)) this.#outbox.giveUp(IN_DOUBT)
    this.#publish()
  }

  #open(url: string): void {
    const turn = this.#turn
    const still = (act: () => void) => () => turn === this.#turn && act()
    this.#socket = new RoomSocket(this.#environment, url, {
      opened: still(() => {
        this.#setState({ status: 'open' })
        this.#watch()
        this.#flush()
      }),
      message: (message) => turn === this.#turn && this.#onMessage(message),
      error: (problem) => turn === this.#turn && this.#onError(problem),
      closed: (code, age) => turn === this.#turn && this.#onClose(code, age),
    })
  }

  #onMessage(message: ChatMessage): void {
    this.#watch()
    const outcome = this.#timeline.append(message)
    if (outcome === 'new') {
      this.#settle(message)
      this.#flush()
    }
    // The history has what the socket left out.
    if (outcome === 'gap') this.#lose()
  }

  #settle(message: ChatMessage): void {
    const session = this.#client.getSession()
    this.#outbox.settle(message, session.status === 'signed-in' ? session.user.username : undefined)
  }

  #onError(problem: string): void {
    this.#outbox.refuse(problem)
    this.#flush()
  }

  #onClose(code: number, age: number): void {
    // Whoever reads too slowly would be here again at once.
    if (age >= STABLE && code !== TOO_SLOW) this.#failures = 0
    // Sent again it would end the next socket too.
    if (code === 1009) this.#outbox.refuse(TOO_LONG)
    if (code === 4003) this.#end('forbidden')
    else if (code === 1008) this.#end('flooding')
    else if (code === 4001) this.#onUnauthorised(age)
    else this.#lose()
  }

  /** A socket ends with its access token: the next ticket comes with a fresh one. */
  #onUnauthorised(age: number): void {
    this.#refusals = age < LET_IN ? this.#refusals + 1 : 0
    if (this.#refusals >= MAX_REFUSALS) this.#end('signed-out')
    // The first may have had a token that was about to run out.
    else if (this.#refusals > 1) this.#lose()
    else this.#renew()
  }

  /** Another socket, in silence. */
  #renew(): void {
    this.#setState({ status: 'connecting' })
    void this.#attempt()
  }

  /** An attempt failed before there was a socket. */
  #fail(error: unknown): void {
    const { status = 0, retryAfter = 0 } = error instanceof ApiError ? error : {}
    const isSignedOut = status === 401 && this.#client.getSession().status === 'signed-out'
    if (status === 403 || status === 404) this.#end('forbidden')
    else if (isSignedOut) this.#end('signed-out')
    else this.#lose(retryAfter * 1000)
  }

  #lose(atLeast = 0): void {
    this.#hangUp()
    this.#failures += 1
    const pause = Math.max(atLeast, backOff(this.#failures, this.#environment.random()))
    this.#retryTimer = setTimeout(() => void this.#attempt(), pause)
    this.#setState({ status: 'waiting', attempt: this.#failures, retryAt: this.#environment.now() + pause })
  }

  /** Leaves the socket, and gives the number of the next turn. */
  #hangUp(): number {
    clearTimeout(this.#retryTimer)
    clearTimeout(this.#answerTimer)
    clearTimeout(this.#paceTimer)
    clearTimeout(this.#quietTimer)
    this.#retryTimer = undefined
    this.#turn += 1
    this.#socket?.close()
    this.#socket = null
    this.#outbox.interrupt()
    return this.#turn
  }

  #end(reason: ClosedReason): void {
    if (this.#state.status === 'closed' && reason !== 'closed') return
    this.#hangUp()
    this.#failures = 0
    this.#refusals = 0
    if (!canReopen(reason)) for (const stop of this.#stops) stop()
    this.#outbox.fail(CLOSED)
    this.#setState({ status: 'closed', reason })
  }

  /** Sends what can be sent now. */
  #flush(): void {
    const now = this.#environment.now()
    if (this.#state.status === 'closed') this.#outbox.fail(CLOSED)
    if (this.#state.status === 'open' && !this.#outbox.isUnderWay) {
      clearTimeout(this.#answerTimer)
      clearTimeout(this.#paceTimer)
      const pause = this.#outbox.pause(now)
      if (pause > 0) this.#paceTimer = setTimeout(() => this.#flush(), pause)
      else this.#sendNext(now)
    }
    this.#publish()
  }

  #sendNext(now: number): void {
    const text = this.#outbox.take(this.#timeline.last ?? 0, now)
    if (text === null) return
    this.#answerTimer = setTimeout(() => this.#lose(), ANSWER)
    this.#socket?.send(text)
  }

  /** A connection may be dead without anybody having said so, and whoever only listens would not notice. */
  #watch(): void {
    clearTimeout(this.#quietTimer)
    this.#quietTimer = setTimeout(() => void this.#ask(), QUIET)
  }

  async #ask(): Promise<void> {
    // Asked when it is shown again.
    if (this.#hiddenAt !== null) return this.#watch()
    const turn = this.#turn
    try {
      const newest = await this.#calls.lastNumber()
      if (turn !== this.#turn) return
      if (newest > (this.#timeline.last ?? 0)) this.#renew()
      else this.#watch()
    } catch (error) {
      if (turn === this.#turn) this.#fail(error)
    }
  }

  async #loadOlder(): Promise<void> {
    const place = this.#timeline.older
    if (place === null) return
    const page = await this.#calls.page(place)
    // After a long absence the messages may have begun anew.
    if (this.#timeline.older === place) this.#timeline.prepend(page)
  }

  #onSession(): void {
    const userId = userIdOf(this.#client)
    this.#userId ??= userId
    // Unknown, it may be somebody else's with the next token.
    const isOther = userId !== this.#userId
    if (this.#client.getSession().status === 'signed-out' || isOther) this.#end('signed-out')
  }

  #onPageChange(change: PageChange): void {
    const { status } = this.#state
    if (status === 'closed') return
    if (change === 'offline' && status !== 'waiting') this.#lose()
    if (change === 'online') this.#failures = 0
    if (status === 'waiting' && (change === 'online' || change === 'shown')) this.reconnect()
    else if (change === 'shown' && status === 'open' && this.#wasHiddenLong()) this.#renew()
    this.#hiddenAt =
      change === 'hidden' ? this.#environment.now() : change === 'shown' ? null : this.#hiddenAt
  }

  #wasHiddenLong(): boolean {
    return this.#hiddenAt !== null && this.#environment.now() - this.#hiddenAt >= LONG_HIDDEN
  }

  #setState(state: ConversationState): void {
    this.#state = state
    this.#publish()
  }

  #publish(): void {
    const next = this.#look()
    const isSame = (Object.keys(next) as (keyof ConversationSnapshot)[]).every(
      (key) => next[key] === this.#snapshot[key],
    )
    if (isSame) return
    this.#snapshot = next
    for (const listener of [...this.#listeners]) callSafely(listener)
  }

  #look(): ConversationSnapshot {
    return {
      state: this.#state,
      messages: this.#timeline.messages,
      pending: this.#outbox.pending,
      hasOlder: this.#timeline.older !== null,
      isLoadingOlder: this.#older !== null,
    }
  }
}

/** The owner of the room may let somebody in again, and a flood ends. */
function canReopen(reason: ClosedReason): boolean {
  return reason === 'forbidden' || reason === 'flooding'
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

function userIdOf(client: PortcullisClient): number | null {
  const session = client.getSession()
  return session.status === 'signed-in' ? session.user.id : null
}

/** A listener that throws is reported, and must not stop what is under way. */
function callSafely(listener: () => void): void {
  try {
    listener()
  } catch (error) {
    setTimeout(() => {
      throw error
    })
  }
}
