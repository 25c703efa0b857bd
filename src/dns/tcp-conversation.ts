/**
 * One message over TCP to a name server, and as many back as the caller wants to hear (RFC 7766 §8: two octets of length in front of each).
 * Used for single answers (`tcp.ts`), dynamic updates and zone transfers, which also need to know whether anything was sent at all.
 */
import type { Clock } from '../base/clock.ts'
import type { Door, Purpose } from '../base/door.ts'
import type { NameServer } from './servers.ts'

export type ConversationEnd =
  /** `take` has heard enough. */
  | { readonly kind: 'done' }
  /** `isSent`: a connection was made, so the server may have read and done what was sent. */
  | { readonly kind: 'timeout'; readonly isSent: boolean }
  /** No connection, or it ended. `code`: of the system, or `forbidden`, or `closed`. */
  | { readonly kind: 'lost'; readonly isSent: boolean; readonly code: string }

export interface Conversation {
  readonly server: NameServer
  /** What goes out, at most 65,535 octets. */
  readonly message: Buffer
  /** For the connection and everything on it. */
  readonly timeoutMs: number
  readonly purpose: Purpose
  /** Hears each message in order, in memory that stays; says whether to go on listening. */
  take(message: Buffer): 'more' | 'enough'
  /** Holds, as long as the connection is open, what closes it. */
  readonly open: Set<() => void>
}

export function converseOverTcp(
  conversation: Conversation,
  deps: { readonly clock: Clock; readonly door: Door },
): Promise<ConversationEnd> {
  const { server, message, timeoutMs, purpose, open } = conversation
  const opening = deps.door.open(purpose, { kind: 'tcp', address: server.address, port: server.port })
  if (opening.kind === 'forbidden') return Promise.resolve({ kind: 'lost', isSent: false, code: 'forbidden' })
  const { socket } = opening
  return new Promise((resolve) => {
    let isSent = false
    const end = (outcome: ConversationEnd) => {
      timer.cancel()
      open.delete(close)
      socket.destroy()
      resolve(outcome)
    }
    const timer = deps.clock.after(timeoutMs, () => end({ kind: 'timeout', isSent }))
    const lost = (code: string) => end({ kind: 'lost', isSent, code })
    const close = () => lost('closed')
    const frames = new Frames()
    open.add(close)
    socket.on('connect', () => {
      isSent = true
    })
    socket.on('error', (error: NodeJS.ErrnoException) => lost(error.code ?? 'unknown'))
    socket.on('close', close)
    socket.on('data', (chunk: Buffer) => {
      frames.push(chunk)
      for (let next = frames.shift(); next; next = frames.shift())
        if (conversation.take(next) === 'enough') return end({ kind: 'done' })
    })
    const length = Buffer.alloc(2)
    length.writeUInt16BE(message.length)
    socket.write(Buffer.concat([length, message]))
  })
}

/** Chunks to messages. They are joined only when a message is whole, so that a server that sends octet by octet costs no more than another. */
export class Frames {
  #chunks: Buffer[] = []
  /** Where the next message begins in the first of them. */
  #at = 0
  /** Octets from there on. */
  #held = 0

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#held += chunk.length
  }

  shift(): Buffer | undefined {
    const [first, second] = this.#chunks
    if (!first || this.#held < 2) return undefined
    const length = (first[this.#at] ?? 0) * 256 + (first[this.#at + 1] ?? second?.[0] ?? 0)
    if (this.#held < 2 + length) return undefined
    const all = this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks)
    const start = this.#at + 2
    this.#at = start + length
    this.#held -= 2 + length
    if (this.#held === 0) this.#at = 0
    this.#chunks = this.#held === 0 ? [] : all === first ? this.#chunks : [all]
    return all.subarray(start, start + length)
  }
}
