/**
 * MAIL and RCPT (RFC 5321 §3.3), in one write where the server pipelines (RFC 2920), one by one where it does not.
 * Called by `delivery` and by `waypost send`.
 */
import type { Envelope, Recipient } from '../../mail/message.ts'
import { isPositive, type Reply } from '../../mail/reply.ts'
import { mailCommand, rcptCommand } from './command.ts'
import type { Failed } from './fault.ts'
import type { ClientSession } from './session.ts'
import type { StepLimits } from './step-limits.ts'

export type EnvelopeAnswer =
  /** MAIL was accepted; one reply a recipient. A 421 stands for the recipients behind it too: the server is about to close. */
  | { readonly kind: 'answered'; readonly replies: readonly Reply[]; readonly isClosing: boolean }
  /** `refusals`: how many of our commands the server has counted as errors. */
  | { readonly kind: 'mail-refused'; readonly reply: Reply; readonly refusals: number }
  | Failed

/** Moments on the monotonic clock. */
export interface EnvelopeLimits {
  readonly steps: StepLimits
  readonly mailUntilMs: number
  /** The end of waiting for the last reply. */
  readonly untilMs: number
  /** No more recipients come: where the server pipelines, DATA goes along (RFC 2920 §3.1), which `sendData` and `reset` know. */
  readonly isLast?: boolean
}

/** @param envelope  undefined where MAIL was accepted before */
export async function sendEnvelope(
  session: ClientSession,
  envelope: Envelope | undefined,
  recipients: readonly Recipient[],
  limits: EnvelopeLimits,
): Promise<EnvelopeAnswer> {
  const step = envelope ? 'mail' : 'rcpt'
  const unasked = session.hasInput ? await session.unasked(step) : undefined
  if (unasked?.kind === 'failed') return unasked
  if (unasked) {
    if (envelope) return { kind: 'mail-refused', reply: unasked.reply, refusals: 0 }
    return { kind: 'answered', replies: recipients.map(() => unasked.reply), isClosing: true }
  }

  const isPipelined = session.extensions.pipelining
  const commands = recipients.map((recipient) => rcptCommand(recipient, session.extensions))
  const together = isPipelined ? commands.join('') : ''
  const mail = envelope ? mailCommand(envelope, session.extensions) : ''
  session.isDataAhead = isPipelined && limits.isLast === true
  const data = session.isDataAhead ? 'DATA\r\n' : ''
  if (mail + together !== '') session.send(mail + together + data)
  let refusal: Reply | undefined
  if (envelope) {
    const answer = await session.reply('mail', limits.mailUntilMs, limits.steps.mailMs)
    if (answer.kind === 'failed') return answer
    if (!isPositive(answer.reply)) refusal = answer.reply
    if (refusal && (!isPipelined || refusal.code === 421)) return { kind: 'mail-refused', reply: refusal, refusals: 1 }
  }
  // Recipients that went out with a MAIL that was refused: their replies, which tell nothing, are read so that nobody takes them for other ones.
  const replies: Reply[] = []
  let isClosing = false
  while (replies.length < commands.length) {
    if (!isPipelined) session.send(commands[replies.length] as string)
    const awaited = session.reply('rcpt', limits.untilMs, limits.steps.rcptMs)
    // Mostly it has come with the one before.
    const answer = awaited instanceof Promise ? await awaited : awaited
    if (answer.kind === 'failed') return refusal ? { kind: 'mail-refused', reply: refusal, refusals: 1 } : answer
    isClosing = answer.reply.code === 421
    do replies.push(answer.reply)
    while (isClosing && replies.length < commands.length)
  }
  if (refusal) return { kind: 'mail-refused', reply: refusal, refusals: 1 + replies.length }
  return { kind: 'answered', replies, isClosing }
}
