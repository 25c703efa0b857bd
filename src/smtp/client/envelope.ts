/**
 * MAIL and RCPT (RFC 5321 §3.3), in one write where the server pipelines (RFC 2920), one by one where it does not.
 * Called by `delivery` and by `waypost send`.
 */
import type { Envelope, Recipient } from '../../mail/message.ts'
import { isPositive, type Reply } from '../../mail/reply.ts'
import { mailCommand, rcptCommand } from './command.ts'
import type { Failed } from './fault.ts'
import type { Session } from './session.ts'

export type EnvelopeAnswer =
  /** MAIL was accepted; one reply a recipient. A 421 stands for the recipients behind it too: the server is about to close. */
  | { readonly kind: 'answered'; readonly replies: readonly Reply[]; readonly isClosing: boolean }
  /** `refusals`: how many of our commands the server has counted as errors. */
  | { readonly kind: 'mail-refused'; readonly reply: Reply; readonly refusals: number }
  | Failed

export interface EnvelopeLimits {
  readonly mailUntilMs: number
  /** The end of waiting for the last reply. */
  readonly untilMs: number
}

const mailMs = 30_000
const rcptMs = 60_000

/** @param envelope  undefined where MAIL was accepted before */
export async function sendEnvelope(
  session: Session,
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
  const commands = recipients.map(rcptCommand)
  if (!envelope) {
    if (isPipelined) session.send(commands.join(''))
    return readRecipients(session, commands, isPipelined, limits.untilMs)
  }
  const mail = mailCommand(envelope, session.extensions)
  session.send(isPipelined ? mail + commands.join('') : mail)
  const answer = await session.reply('mail', atMost(session, mailMs, limits.mailUntilMs))
  if (answer.kind === 'failed') return answer
  if (isPositive(answer.reply)) return readRecipients(session, commands, isPipelined, limits.untilMs)

  if (!isPipelined || answer.reply.code === 421) return { kind: 'mail-refused', reply: answer.reply, refusals: 1 }
  // The recipients went out with MAIL: their replies, which tell nothing, are read so that nobody takes them for other ones.
  const rest = await readRecipients(session, commands, true, limits.untilMs)
  const refusals = 1 + (rest.kind === 'answered' ? rest.replies.length : 0)
  return { kind: 'mail-refused', reply: answer.reply, refusals }
}

async function readRecipients(
  session: Session,
  commands: readonly string[],
  isSent: boolean,
  untilMs: number,
): Promise<EnvelopeAnswer> {
  const replies: Reply[] = []
  for (const command of commands) {
    if (!isSent) session.send(command)
    const answer = await session.reply('rcpt', atMost(session, rcptMs, untilMs))
    if (answer.kind === 'failed') return answer
    replies.push(answer.reply)
    if (answer.reply.code !== 421) continue
    while (replies.length < commands.length) replies.push(answer.reply)
    return { kind: 'answered', replies, isClosing: true }
  }
  return { kind: 'answered', replies, isClosing: false }
}

const atMost = (session: Session, limitMs: number, untilMs: number) =>
  Math.min(session.clock.monotonicMs() + limitMs, untilMs)
