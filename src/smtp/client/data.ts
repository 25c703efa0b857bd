/**
 * DATA, the content, the dot (RFC 5321 §4.1.1.4), and what is known when it goes wrong: before the dot has left us certainly nothing was
 * delivered, behind it nobody knows (RFC 1047). Called by `delivery` and by `waypost send`.
 */
import { errorCode } from '../../base/error-code.ts'
import type { Reply } from '../../mail/reply.ts'
import { DotStuffer, stuffWhole } from '../wire/dot-stuffing.ts'
import { type Answer, type ClientFault, failed } from './fault.ts'
import type { ClientSession } from './session.ts'
import { blockOctets, type StepLimits } from './step-limits.ts'

export interface Content {
  /** What goes in front of the body; may be empty. */
  readonly trace: Buffer
  readonly size: number
  /** Canonical: lines end in CRLF only. */
  blocks(): readonly Buffer[] | AsyncIterable<Buffer>
}

/** Moments on the monotonic clock. */
export interface DataLimits {
  readonly steps: StepLimits
  /** Content that has not left by then does not leave. */
  readonly bodyUntilMs: number
  /** The end of waiting behind the dot. */
  readonly untilMs: number
  /** Called once, when the operating system has taken the dot: the server may have the message from here on. */
  readonly onDotLeft?: (() => void) | undefined
}

export type DataAnswer =
  /** `isClosing`: the server said 421, or may not be asked again. */
  | {
      readonly kind: 'answered'
      readonly step: 'data' | 'body' | 'dot'
      readonly replies: readonly Reply[]
      readonly isClosing: boolean
    }
  | { readonly kind: 'lost'; readonly fault: ClientFault }
  | {
      readonly kind: 'unknown'
      readonly fault: ClientFault
      readonly replies: readonly Reply[]
      readonly waitedMs: number
      /** The server is merely silent, and the session is kept: `awaitLate` hears what it still says. Else it has ended. */
      readonly isSilent: boolean
    }

/** Up to here the message goes out in one write. */
const wholeOctets = 320 * 1024

/** @param replyCount  how many replies follow the dot: 1, or with LMTP one a recipient that was accepted (RFC 2033 §4.2) */
export async function sendData(
  session: ClientSession,
  content: Content,
  replyCount: number,
  limits: DataLimits,
): Promise<DataAnswer> {
  const isAhead = session.isDataAhead
  session.isDataAhead = false
  const unasked = session.hasInput && !isAhead ? await session.unasked('data') : undefined
  if (!unasked && !isAhead) session.send('DATA\r\n')
  const go = unasked ?? (await session.reply('data', limits.bodyUntilMs, limits.steps.dataMs))
  if (go.kind === 'failed') return lost(go)
  if (go.reply.code >= 400) return answered('data', go.reply)
  if (go.reply.code < 300) return lost(session.fail('garbage', 'data', `${go.reply.code} where 354 was due`, go.reply))

  session.note(`(${content.trace.length + content.size} octets of message, and the dot)`)
  const blocks = content.blocks()
  const isWhole = Array.isArray(blocks) && content.trace.length + content.size <= wholeOctets
  const early = isWhole ? undefined : await sendBlocks(session, content, blocks, limits)
  if (early instanceof DotStuffer) return await sendDot(session, early.end(), replyCount, limits)
  if (early) return early
  const octets = stuffWhole([content.trace, ...(blocks as readonly Buffer[])], session.scratch)
  return await sendDot(session, octets, replyCount, limits)
}

/** @returns the stuffer, which knows the end, or why there will be none */
async function sendBlocks(
  session: ClientSession,
  content: Content,
  blocks: readonly Buffer[] | AsyncIterable<Buffer>,
  limits: DataLimits,
): Promise<DataAnswer | DotStuffer> {
  const stuffer = new DotStuffer()
  session.connection.write(stuffer.stuff(content.trace))
  try {
    for await (const block of blocks) {
      for (let at = 0; at < block.length; at += blockOctets) {
        session.connection.write(stuffer.stuff(block.subarray(at, at + blockOctets)))
        // All of a block has left before the next is asked for: memory stays bounded, and the block is the reader's again.
        const stopped = session.hasInput ? 'input' : await leaves(session, limits)
        if (stopped !== 'left') return endEarly(session, stopped, limits)
      }
    }
  } catch (error) {
    session.abandon()
    const code = errorCode(error)
    if (code === undefined) throw error
    return lost(failed('abandoned', 'body', `our copy of the message could not be read: ${code}`))
  }
  return stuffer
}

/** Waits until the operating system has all that was written, or something else happens first. */
async function leaves(
  session: ClientSession,
  { steps, bodyUntilMs }: DataLimits,
): Promise<'left' | 'input' | 'timeout' | 'gone'> {
  if (session.clock.monotonicMs() >= bodyUntilMs) return 'timeout'
  const written = session.connection.written()
  if (written === 'written') return session.connection.noMore ? 'gone' : 'left'
  session.connection.deadline.armAt(Math.min(session.clock.monotonicMs() + steps.blockMs, bodyUntilMs))
  const first = await Promise.race([written, session.watch()])
  if (first === 'written') return session.connection.noMore ? 'gone' : 'left'
  return first === 'input' || first === 'timeout' ? first : 'gone'
}

/**
 * The dot will not leave. A reply that is here already is the verdict (a server that has heard enough, and closed perhaps);
 * the connection ends in any case, because anything more would be text of the message to the server.
 */
async function endEarly(
  session: ClientSession,
  why: 'input' | 'timeout' | 'gone',
  { steps, bodyUntilMs }: DataLimits,
): Promise<DataAnswer> {
  if (why === 'timeout') return lost(session.failOver('timeout', 'body'))
  const answer = await session.reply('body', bodyUntilMs, steps.blockMs)
  if (answer.kind === 'failed') return lost(answer)
  if (answer.reply.code < 400)
    return lost(session.fail('garbage', 'body', `${answer.reply.code} before the end of the message`, answer.reply))
  session.destroy()
  return { kind: 'answered', step: 'body', replies: [answer.reply], isClosing: true }
}

/** @param last  the octets that end in the dot: all of a small message */
async function sendDot(
  session: ClientSession,
  last: Buffer,
  replyCount: number,
  limits: DataLimits,
): Promise<DataAnswer> {
  const { socket } = session.connection
  if (session.hasInput || session.connection.noMore || !socket.writable) {
    return endEarly(session, session.hasInput ? 'input' : 'gone', limits)
  }
  // Inside TLS "written" is told late, when the dot may long be on its way: handed over counts as left.
  let hasLeft = false
  const leave = () => {
    if (hasLeft) return
    hasLeft = true
    limits.onDotLeft?.()
  }
  session.connection.flush()
  socket.write(last, (error) => {
    if (!error) leave()
  })
  // What the system has not taken yet is the socket's, and no other message may be written over it.
  if (socket.writableLength > 0) session.scratch.giveAway()
  if ('encrypted' in socket) leave()
  if (socket.writableLength > 0) {
    const stopped = await leaves(session, limits)
    if (stopped === 'timeout' && !hasLeft) return lost(session.failOver('timeout', 'body'))
    if (stopped === 'input' && !hasLeft) return endEarly(session, 'input', limits)
  }
  const dotMs = session.clock.monotonicMs()
  const untilMs = Math.min(dotMs + limits.steps.dotMs, limits.untilMs)
  const replies: Reply[] = []
  while (replies.length < replyCount) {
    const answer = await session.replyOrSilence('dot', untilMs)
    if (answer === 'silent' || answer.kind === 'failed') {
      const waitedMs = session.clock.monotonicMs() - dotMs
      if (answer === 'silent' && !hasLeft) return lost(session.failOver('timeout', 'body'))
      if (answer === 'silent') return { kind: 'unknown', fault: silence, replies, waitedMs, isSilent: true }
      if (!hasLeft) return lost({ kind: 'failed', fault: { ...answer.fault, step: 'body' } })
      return { kind: 'unknown', fault: answer.fault, replies, waitedMs, isSilent: false }
    }
    replies.push(answer.reply)
  }
  return { kind: 'answered', step: 'dot', replies, isClosing: replies.some((reply) => reply.code === 421) }
}

const silence: ClientFault = { kind: 'timeout', step: 'dot', reply: undefined, detail: 'no answer in time' }

/** What a server that was silent behind the dot still says. The session ends with it. @returns undefined where not all of it came */
export async function awaitLate(
  session: ClientSession,
  missing: number,
  untilMs: number,
): Promise<readonly Reply[] | undefined> {
  const replies: Reply[] = []
  while (replies.length < missing) {
    const answer = await session.reply('dot', untilMs)
    if (answer.kind === 'failed') return undefined
    replies.push(answer.reply)
  }
  session.quit()
  return replies
}

const answered = (step: 'data', reply: Reply): DataAnswer => ({
  kind: 'answered',
  step,
  replies: [reply],
  isClosing: reply.code === 421,
})

const lost = (answer: Answer & { kind: 'failed' }): DataAnswer => ({ kind: 'lost', fault: answer.fault })
