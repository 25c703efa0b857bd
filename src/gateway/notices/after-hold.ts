/**
 * A backend says no to what we have said yes to. RFC 5321 §6.1 wants the sender told; but most of the mail that is refused so late is spam with a
 * forged sender, and telling that one is backscatter. So by default only a sender whose address was proven is told, and the rest is kept for
 * a person to see: that is also how the postmaster hears of mail from nobody (RFC 3461 §5.2). Called by `settle-attempt`, `hand-over` and `late-watch`.
 */
import type { Clock } from '../../base/clock.ts'
import { type IpAddress, parseIp } from '../../base/ip.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { HostName } from '../../dns/name.ts'
import type { DsnRecipient } from '../../mail/dsn/report.ts'
import { replyStatus } from '../../mail/dsn/status.ts'
import type { Recipient } from '../../mail/message.ts'
import { loggedReply, type Reply } from '../../mail/reply.ts'
import type {
  Attempt,
  HeldEntry,
  HeldMessage,
  HeldRecipient,
  Lane,
  Queue,
  RecipientState,
  Settled,
  Settlement,
} from '../../queue/queue.ts'
import type { Endpoint } from '../../routing/backend.ts'
import type { Declared, Tell } from '../events.ts'
import { pauseAfter } from '../pauses.ts'
import { putOff } from '../put-off.ts'
import type { Way } from '../ways/lanes.ts'
import type { PolicyOf } from '../ways/ways.ts'
import { type Notice, type Notices, settleWith, toWhom } from './notices.ts'
import { type Refusal, type RefusedMail, tellOwnRefused, tellRefused } from './tell-refused.ts'

export interface RefusedAfterHold {
  readonly id: string
  readonly way: Way
  /** Undefined where it was us who said no, for want of anywhere to go. */
  readonly endpoint: Endpoint | undefined
  readonly refused: readonly { readonly index: number; readonly reply: Reply }[]
  /** The late word of this backend (`backend.key`): of those that it was silent about, and that nobody else has been asked to take since. */
  readonly behind?: string | undefined
}

export interface AfterHold {
  /** Settles recipients that a backend has refused for good. */
  refused(what: RefusedAfterHold): Promise<void>
}

export interface AfterHoldDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly tell?: Tell | undefined
  readonly declared?: Declared | undefined
  readonly queue: Pick<Queue, 'get' | 'body' | 'settle'>
  readonly notices: Notices
  readonly policyOf: PolicyOf
  readonly hostname: () => HostName
  /** A notice has been held: it may go. */
  readonly onHeld: (lane: Lane) => void
}

/** How long a refused or expired message is kept for a person. */
export const keptForAPersonMs = 14 * 24 * 60 * 60_000

/** How long a refusal waits for DNS. */
const undecidedMs = 60 * 60_000

export function createAfterHold(deps: AfterHoldDeps): AfterHold {
  const { clock, random, queue, notices, policyOf, hostname, onHeld } = deps

  async function refused(what: RefusedAfterHold): Promise<void> {
    const { id } = what
    const entry = await queue.get(id)
    if (!entry) return
    const { message } = entry
    const refusals = refusalsOf(entry, what)
    if (refusals.length === 0) return
    const mail: RefusedMail = { message, way: what.way, endpoint: what.endpoint, refusals }
    const nowMs = clock.now()
    if (isOurOwn(message)) return await settleOwn(mail, nowMs)
    const notice = await noticeOf(mail, nowMs)
    // DNS was asked meanwhile: of what another attempt, its end or a person has changed since, this is no longer the last word.
    const left = await settleWith(notice, async () => stillThere(await queue.get(id), refusals))
    if (left.length === refusals.length) return await settle(mail, notice, nowMs, what.behind)
    if (notice.kind === 'written') notice.giveBack()
    await refused({ ...what, refused: left })
  }

  async function settleOwn(mail: RefusedMail, nowMs: number): Promise<void> {
    const recipients = mail.refusals.map(({ held, reply }) => ({
      index: held.index,
      reply,
      to: { kind: 'gone' as const },
      from: final(held),
    }))
    await queue.settle({ id: mail.message.id, attempt: attemptOf(mail, nowMs), recipients })
    tellOwnRefused(mail, deps)
  }

  async function settle(mail: RefusedMail, notice: Notice, nowMs: number, behind: string | undefined): Promise<void> {
    const told = notice.kind === 'written' ? notice.told : new Set<Recipient>()
    const waits = (held: HeldRecipient) => waitsForDns(held, behind, nowMs, random)
    const settlement = settlementOf(mail, notice, told, nowMs, waits)
    await settleWith(notice, () => queue.settle(settlement))
    if (notice.kind === 'written') onHeld(notice.lane)
    tellRefused(mail, notice, told, deps)
  }

  async function noticeOf({ message, endpoint, refusals }: RefusedMail, nowMs: number): Promise<Notice> {
    const mayTell = refusals.filter(({ held }) => (policyOf(held)?.refusedAfterHold ?? 'keep') !== 'keep')
    if (mayTell.length === 0) return { kind: 'none', why: 'refusedAfterHold: keep', proof: message.proof }
    const remoteHost = endpoint && remoteOf(endpoint, hostname())
    const recipients = mayTell.map(
      ({ held, reply }): DsnRecipient => ({
        recipient: held.recipient,
        action: 'failed',
        status: replyStatus(reply),
        remote: remoteHost && { host: remoteHost, reply },
        lastAttemptMs: nowMs,
      }),
    )
    const subject = { message, openBody: () => queue.body(message.id) }
    const whom = toWhom(
      mayTell.map(({ held }) => held),
      policyOf,
    )
    return await notices.write(subject, recipients, whom)
  }

  return { refused }
}

/** Notices of our own are about no other mail, and nobody is told of them (RFC 5321 §6.1). */
export const isOurOwn = ({ client, envelope }: Pick<HeldMessage, 'client' | 'envelope'>): boolean =>
  client === undefined && envelope.sender === null

/** RFC 3464 §2.3.5. A process of this machine has our own name. */
export function remoteOf(endpoint: Endpoint, hostname: HostName): HostName | IpAddress {
  if (endpoint.target.kind !== 'tcp') return hostname
  return parseIp(endpoint.name) ?? (endpoint.name as HostName)
}

function attemptOf({ refusals, endpoint }: RefusedMail, atMs: number): Attempt {
  const [first] = refusals
  return {
    atMs,
    backend: endpoint?.backend.url,
    host: endpoint?.name,
    outcome: 'refused',
    text: first ? loggedReply(first.reply) : '',
    recipients: refusals.length,
  }
}

const refusalsOf = ({ recipients }: HeldEntry, { refused, behind }: RefusedAfterHold): Refusal[] =>
  refused.flatMap(({ index, reply }) => {
    const held = recipients.find((each) => each.index === index)
    return held && (behind === undefined || held.backend === behind) ? [{ held, reply }] : []
  })

/** What is to be written down where the sender was told, or not. @param told  those whom the notice names */
function settlementOf(
  mail: RefusedMail,
  notice: Notice,
  told: ReadonlySet<Recipient>,
  nowMs: number,
  waits: (held: HeldRecipient) => Settled,
): Settlement {
  const { message, refusals } = mail
  return {
    id: message.id,
    attempt: attemptOf(mail, nowMs),
    recipients: refusals.map(({ held, reply }) => {
      const to: Settled = told.has(held.recipient) ? { kind: 'gone' } : kept(held, notice, nowMs, waits)
      // What a person holds does not go on by itself.
      const mayWait = [held.state].filter((state) => state !== 'held')
      return { index: held.index, reply, to, from: to.kind === 'refused' || to.kind === 'gone' ? final(held) : mayWait }
    }),
    ...(notice.kind === 'written' ? { dsn: notice.held } : {}),
    ...(notice.proof.kind === message.proof.kind ? {} : { proof: notice.proof }),
  }
}

/** While DNS does not say who the sender is, the refusal is not the last word: the next one finds out more. */
function kept(held: HeldRecipient, { kind }: Notice, nowMs: number, waits: (held: HeldRecipient) => Settled): Settled {
  const isOpen = kind === 'undecided' && nowMs - (held.firstRefusedMs ?? nowMs) < undecidedMs
  return isOpen ? waits(held) : { kind: 'refused', keepUntilMs: nowMs + keptForAPersonMs }
}

/** @param behind  of a late word: what that backend was given it has not taken, so nobody has it */
function waitsForDns(held: HeldRecipient, behind: string | undefined, nowMs: number, random: Random): Settled {
  const to = putOff(behind === undefined ? held : undefined, pauseAfter(held.attempts, random), nowMs)
  return { ...to, firstRefusedMs: held.firstRefusedMs ?? nowMs }
}

/** Of what was refused, what no attempt has spoken of since; a person may have held it meanwhile. @param now  what is held of the message now */
const stillThere = (now: HeldEntry | undefined, refusals: readonly Refusal[]): RefusedAfterHold['refused'] =>
  refusals.flatMap(({ held: before, reply }) => {
    const held = now?.recipients.find(({ index }) => index === before.index)
    const isSame = held?.attempts === before.attempts && final(before).includes(held.state)
    return isSame ? [{ index: before.index, reply }] : []
  })

/** From where it may come to its end. */
const final = ({ state }: HeldRecipient): readonly RecipientState[] => [state, 'held']
