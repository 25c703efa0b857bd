/**
 * Takes in what follows 354: octets → decoder → sink, with the sender's pace watched. The session calls it and
 * answers with what comes of it.
 */
import type { Clock } from '../../base/clock.ts'
import type { Connection } from '../wire/connection.ts'
import { DataDecoder } from '../wire/data-decoder.ts'
import { HopCounter } from '../wire/hop-counter.ts'
import type { LineReader } from '../wire/line-reader.ts'
import type { Scratch } from '../wire/scratch.ts'
import type { AbortReason, BodySink } from './handler.ts'
import { ownHops, type SmtpServerOptions } from './options.ts'
import { Pace } from './pace.ts'
import { faultReplies, replies } from './replies.ts'

export type Intake =
  /** The content is in order and in the sink, which has not been asked for its verdict yet. */
  | { readonly kind: 'whole'; readonly has8bit: boolean }
  /** It came to its end, but is not passed on. The sink has been told. */
  | { readonly kind: 'refused'; readonly reply: string }
  /** It did not come to its end. The sink has been told. */
  | { readonly kind: 'gone' | 'too-slow' }

/** @param lines  gets what stands behind the message */
export async function takeBody(
  connection: Connection,
  lines: LineReader,
  sink: BodySink,
  options: SmtpServerOptions,
  clock: Clock,
  scratch: Scratch,
): Promise<Intake> {
  const decoder = new DataDecoder(options, scratch)
  const hops = new HopCounter(options.hostname)
  const pace = new Pace(options, clock.monotonicMs())
  let refusal: Refusal | undefined
  const stop = (kind: 'gone' | 'too-slow'): Intake => {
    if (!refusal) sink.abort(kind)
    return { kind }
  }
  for (;;) {
    const chunk = connection.read()
    if (chunk === undefined) {
      const dueMs = pace.nextMs(clock.monotonicMs())
      if (dueMs === undefined) return stop('too-slow')
      connection.deadline.armAt(dueMs)
      await connection.input()
      continue
    }
    if (typeof chunk === 'string') return stop('gone')
    pace.took(chunk.length)
    const piece = decoder.decode(chunk)
    // Before the sink is waited for: a QUIT behind the dot tells that the sender is still there when its FIN comes.
    if (decoder.isEnded && decoder.consumed < chunk.length) lines.feed(chunk.subarray(decoder.consumed))
    if (piece.length > 0 && !refusal) {
      hops.push(piece)
      // What is over the limit already is not worth anybody's memory.
      const taking = decoder.size > options.limits.messageBytes ? undefined : sink.write(piece)
      if (taking) {
        const beganMs = clock.monotonicMs()
        await taking
        pace.waited(clock.monotonicMs() - beganMs)
      }
    }
    if (decoder.isEnded) hops.end()
    const found = refusal ?? refusalOf(decoder, hops, options)
    if (found && !refusal) sink.abort(found.why)
    refusal = found
    if (!decoder.isEnded) continue
    return refusal ? { kind: 'refused', reply: refusal.reply } : { kind: 'whole', has8bit: decoder.has8bit }
  }
}

interface Refusal {
  readonly reply: string
  readonly why: AbortReason
}

function refusalOf(decoder: DataDecoder, hops: HopCounter, options: SmtpServerOptions): Refusal | undefined {
  if (decoder.fault !== undefined) return { reply: faultReplies[decoder.fault], why: decoder.fault }
  if (decoder.size > options.limits.messageBytes) return { reply: replies.tooBig, why: 'too-big' }
  // RFC 5321 §6.3
  if (hops.received > options.limits.hops || hops.ours >= ownHops) return { reply: replies.loop, why: 'loop' }
  return undefined
}
