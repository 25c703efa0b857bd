/**
 * Many queries over one TCP connection to one name server, answers in any order (RFC 7766 §6.2.1.1, §7). For lists of names: a packet for
 * each query and each answer costs more than all the rest of a look-up, nothing is lost where a buffer is full, and nobody off the path can
 * forge an answer. Used by `transport.ts`, which asks over UDP what this could not.
 *
 * A server may close the connection whenever it likes (§6.2.4): what was not answered is asked again over a new one, as long as each brings
 * a fair part. One that brings less, or cannot be made, is a server that will not have it: it is left in peace for a while.
 */
import type { Socket } from 'node:net'
import type { Clock, Timer } from '../base/clock.ts'
import type { Door } from '../base/door.ts'
import type { Random } from '../base/random.ts'
import { IdTable } from './id-table.ts'
import type { NameServer } from './servers.ts'
import { Frames } from './tcp-conversation.ts'
import { answers, randomIds, type TakenIds } from './udp.ts'

export type PipelineOutcome =
  | { readonly kind: 'message'; readonly bytes: Buffer }
  | { readonly kind: 'timeout' }
  /** The server does not take it this way; nothing is said about the server itself. */
  | { readonly kind: 'unusable' }

interface Waiting {
  readonly query: Buffer
  readonly questionEnd: number
  readonly dueMs: number
  readonly settle: (outcome: PipelineOutcome) => void
}

interface Line {
  readonly socket: Socket
  readonly frames: Frames
  sent: number
  answered: number
}

/** How long a server that will not have it is asked over UDP. */
const unusableForMs = 60_000
/** A connection that ends must have brought an answer to one question of so many, or there is no other. */
const leastAnsweredPart = 4
/**
 * Queries that are fewer than this part of all that wait are held back a moment, for the answers on their way bring more, and a write for a
 * dozen costs as much as one for a hundred.
 */
const worthAWritePart = 4
const holdMs = 2
/** Deadlines are looked at so often: a timer for each query would cost as much as the query. */
const sweepMs = 100

export class TcpPipeline {
  readonly #server: NameServer
  readonly #clock: Clock
  readonly #door: Door
  readonly #nextId: (taken: TakenIds) => number
  readonly #waiting = new IdTable<Waiting>()
  #line: Line | undefined
  #unsent: Buffer[] = []
  #isFlushDue = false
  #hold: Timer | undefined
  #sweep: Timer | undefined
  #unusableUntilMs = 0

  constructor(server: NameServer, deps: { readonly clock: Clock; readonly random: Random; readonly door: Door }) {
    this.#server = server
    this.#clock = deps.clock
    this.#door = deps.door
    this.#nextId = randomIds(deps.random)
  }

  get isUsable(): boolean {
    return this.#unusableUntilMs === 0 || this.#clock.monotonicMs() >= this.#unusableUntilMs
  }

  /**
   * Sends a query, its id chosen here, and tells the answer with that id and the same question.
   * @param query  header and one question, perhaps OPT; its first two octets are overwritten
   * @param questionEnd  where the question ends
   * @param settle  called once
   */
  ask(query: Buffer, questionEnd: number, timeoutMs: number, settle: (outcome: PipelineOutcome) => void): void {
    const id = this.#nextId(this.#waiting)
    query.writeUInt16BE(id, 0)
    this.#waiting.set(id, { query, questionEnd, dueMs: this.#clock.monotonicMs() + timeoutMs, settle })
    this.#sweep ??= this.#clock.after(sweepMs, this.#endLate)
    this.#send(query)
  }

  /** Ends what waits as unusable. */
  close(): void {
    this.#giveUp()
  }

  #send(query: Buffer): void {
    const line = this.#line ?? this.#open()
    if (!line) {
      this.#giveUp()
      return
    }
    if (this.#waiting.size === 1) line.socket.ref()
    line.sent++
    this.#unsent.push(query)
    if (this.#isFlushDue || (this.#hold && !this.#isWorthAWrite)) return
    // What is asked in one turn of the loop goes out in one write.
    this.#isFlushDue = true
    setImmediate(this.#flush)
  }

  get #isWorthAWrite(): boolean {
    return this.#unsent.length * worthAWritePart >= this.#waiting.size
  }

  #flush = (): void => {
    this.#isFlushDue = false
    if (this.#isWorthAWrite) this.#write()
    else this.#hold ??= this.#clock.after(holdMs, this.#write)
  }

  #write = (): void => {
    this.#hold?.cancel()
    this.#hold = undefined
    const unsent = this.#unsent
    this.#unsent = []
    if (unsent.length > 0) this.#line?.socket.write(framed(unsent))
  }

  #open(): Line | undefined {
    const { address, port } = this.#server
    const opening = this.#door.open('resolver', { kind: 'tcp', address, port })
    if (opening.kind === 'forbidden') return undefined
    const line: Line = { socket: opening.socket, frames: new Frames(), sent: 0, answered: 0 }
    line.socket.on('data', (chunk: Buffer) => this.#receive(line, chunk))
    // 'close' follows.
    line.socket.on('error', () => {})
    line.socket.on('close', () => this.#closed(line))
    this.#line = line
    return line
  }

  #receive(line: Line, chunk: Buffer): void {
    line.frames.push(chunk)
    for (let bytes = line.frames.shift(); bytes; bytes = line.frames.shift()) {
      const id = bytes.length >= 12 ? bytes.readUInt16BE(0) : -1
      const waiting = this.#waiting.get(id)
      // What comes too late has nobody who waits. An answer to another question is none of ours, and what follows is worth no more.
      if (!waiting) continue
      if (!answers(bytes, waiting)) return void line.socket.destroy()
      line.answered++
      this.#waiting.delete(id)
      waiting.settle({ kind: 'message', bytes })
    }
    if (this.#waiting.size === 0) line.socket.unref()
  }

  #closed(line: Line): void {
    if (this.#line !== line) return
    this.#line = undefined
    this.#unsent = []
    if (this.#waiting.size === 0) return
    // Else a server that answers one and closes would be sent all the others once for each.
    if (line.answered * leastAnsweredPart < line.sent) {
      this.#giveUp()
      return
    }
    for (const [, { query }] of this.#waiting.entries()) this.#send(query)
  }

  #giveUp(): void {
    this.#unusableUntilMs = this.#clock.monotonicMs() + unusableForMs
    const left = this.#waiting.drain()
    this.#unsent = []
    const line = this.#line
    this.#line = undefined
    line?.socket.destroy()
    for (const { settle } of left) settle({ kind: 'unusable' })
  }

  #endLate = (): void => {
    this.#sweep = undefined
    const nowMs = this.#clock.monotonicMs()
    const late = Array.from(this.#waiting.entries()).filter(([, { dueMs }]) => dueMs <= nowMs)
    for (const [id] of late) this.#waiting.delete(id)
    // A packet filter that swallows TCP says nothing of a server that was never heard here.
    const isSilent = late.length > 0 && this.#line?.answered === 0
    if (isSilent) this.#giveUp()
    else if (this.#waiting.size > 0) this.#sweep = this.#clock.after(sweepMs, this.#endLate)
    else this.#line?.socket.unref()
    // Last, as whoever is told may ask again at once.
    for (const [, { settle }] of late) settle({ kind: isSilent ? 'unusable' : 'timeout' })
  }
}

/** RFC 1035 §4.2.2: each with its length in front. */
function framed(messages: readonly Buffer[]): Buffer {
  const all = Buffer.allocUnsafe(messages.reduce((sum, { length }) => sum + 2 + length, 0))
  let at = 0
  for (const message of messages) {
    all.writeUInt16BE(message.length, at)
    message.copy(all, at + 2)
    at += 2 + message.length
  }
  return all
}
