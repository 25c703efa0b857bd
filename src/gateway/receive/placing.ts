/**
 * Where a recipient goes, or why it goes nowhere: everything that can be said without asking a backend. Whose it is, `routing` says; whether it fits
 * with those that the transaction has taken before, is said here. Pure; called by `recipient-asker` at RCPT.
 */
import { isPostmaster } from '../../mail/address.ts'
import type { Recipient } from '../../mail/message.ts'
import { type Reply, reply } from '../../mail/reply.ts'
import { looksUpRecipient, type Route, speaksLmtp } from '../../routing/backend.ts'
import type { MailDomain } from '../../routing/destinations.ts'
import { isSamePolicy, neverHold } from '../../routing/hold-policy.ts'
import type { CutThrough } from '../carry/cut-through.ts'
import type { GatewaySettings } from '../settings.ts'

export interface Placed {
  readonly route: Route
  /** Undefined for the postmaster's own route. */
  readonly domain: MailDomain | undefined
  readonly recipient: Recipient
}

/** A leg that the transaction has already, as far as is asked here. */
export interface TakenLeg {
  readonly cut: Pick<CutThrough, 'route' | 'serves'>
  readonly domain: MailDomain | undefined
}

export type MayHold = (recipient: Recipient) => boolean

/** Each is carried by itself at the dot. */
const mostLegs = 50

/** Its way by the configuration, or what its sender hears where it has none. */
export function placeRecipient(
  recipient: Recipient,
  { destinations, postmaster }: Pick<GatewaySettings, 'destinations' | 'postmaster'>,
): Placed | Reply {
  const destination = destinations.find(recipient)
  switch (destination.kind) {
    case 'postmaster':
      return { route: postmaster, domain: undefined, recipient }
    case 'route':
      return { route: destination.route, domain: destination.domain, recipient }
    case 'literal':
      return literalRefused
    case 'not-ours':
      return destination.leftRecently ? leftRecently : relayingDenied
    case 'relay-syntax':
      return relaySyntax
    case 'unknown-recipient':
      return unknownRecipient
  }
}

/**
 * Those that go another way than the first are taken with it where all can be held, else asked to come in another transaction.
 * @param taken  legs of the transaction that have recipients
 * @param mayHold  whether the message could be made durable for this recipient, as far as is known before its dot
 */
export function fitting(placed: Placed, taken: readonly TakenLeg[], mayHold: MayHold): Placed | Reply {
  if (taken.length === 0) return placed
  const isOnItsWay = taken.some((leg) => goes(leg, placed)) && !takesOneRecipient(placed, mayHold)
  // With several ways it is kept before the first dot leaves, and takes more room with each recipient.
  if (isOnItsWay) return taken.length === 1 || mayHold(placed.recipient) ? placed : otherTransaction
  const fansOut = (domain: MailDomain | undefined) => keepsMail(domain) && domain?.hold.fanOut === 'together'
  const isTogether = taken.length < mostLegs && taken.every(({ domain }) => fansOut(domain)) && fansOut(placed.domain)
  return isTogether && mayHold(placed.recipient) ? placed : otherTransaction
}

/** Whether two recipients can be asked for at a backend in one go. */
export function goTogether(first: Placed, other: Placed, mayHold: MayHold): boolean {
  if (other.route !== first.route || !onSameTerms(first, other) || takesOneRecipient(other, mayHold)) return false
  const isSameMx = !looksUpRecipient(first.route) || other.recipient.domain === first.recipient.domain
  return isSameMx && !isPostmaster(other.recipient) && !isPostmaster(first.recipient)
}

/** Whether the leg leads where the recipient goes, on the terms of its domain. */
export const goes = (leg: TakenLeg, placed: Placed): boolean =>
  leg.cut.route === placed.route && leg.cut.serves(placed.recipient.domain) && onSameTerms(leg, placed)

type OnTerms = Pick<Placed, 'domain'>

/** Domains share a route where their lists are equal. Their mail is one message for it only if it is held, told of and given up alike. */
const onSameTerms = (one: OnTerms, other: OnTerms): boolean => isSamePolicy(policyOf(one), policyOf(other))

const policyOf = ({ domain }: OnTerms) => domain?.hold ?? neverHold

/** LMTP answers for each recipient, and the sender can hear only one answer: what failed must be held, then. */
function takesOneRecipient({ route, domain, recipient }: Placed, mayHold: MayHold): boolean {
  return speaksLmtp(route) && !(keepsMail(domain) && mayHold(recipient))
}

const keepsMail = (domain: MailDomain | undefined) => domain !== undefined && domain.hold.holdMs > 0

const literalRefused = reply(550, '5.7.1', 'Mail to address literals is not taken here')
const relayingDenied = reply(550, '5.7.1', 'Relaying denied: mail for this domain is not taken here')
const leftRecently = reply(451, '4.3.5', 'Mail for this domain was taken here until recently, please try again later')
const relaySyntax = reply(553, '5.1.3', 'Local parts with @, % or ! are not taken here')
const unknownRecipient = reply(550, '5.1.1', 'No such recipient here')
const otherTransaction = reply(452, '4.5.3', 'Please send to this recipient in another transaction')
