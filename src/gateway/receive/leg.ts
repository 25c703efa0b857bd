/** The part of a transaction that goes one way: gathered by `sender-transaction` at RCPT, handed over at the dot by `hand-over`, told by `tell-leg`. */
import type { Recipient } from '../../mail/message.ts'
import type { MailDomain } from '../../routing/destinations.ts'
import type { CutThrough } from '../carry/cut-through.ts'
import type { Way } from '../ways/lanes.ts'

/** One route of a transaction, with the recipients that go there. */
export interface Leg {
  readonly cut: CutThrough
  readonly way: Way
  /** Whose terms it is on. Undefined for the postmaster's own route. */
  readonly domain: MailDomain | undefined
  readonly recipients: readonly LegRecipient[]
}

export interface LegRecipient {
  readonly recipient: Recipient
  /** Its own: several domains may share a route and its terms. */
  readonly domain: MailDomain | undefined
  readonly wasKnown: boolean
}
