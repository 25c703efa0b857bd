/**
 * What a sender has said of one message so far: its envelope, the recipients by the ways that they go, and the body as it comes in. Made by `sender-handler`
 * at MAIL, which says what becomes of it; `hand-over` gets its legs at the dot.
 */
import type { Body, Client, Envelope } from '../../mail/message.ts'
import type { Reply } from '../../mail/reply.ts'
import { neverHold } from '../../routing/hold-policy.ts'
import { CutThrough } from '../carry/cut-through.ts'
import type { CutThroughDeps } from '../carry/cut-through-deps.ts'
import { laneOf } from '../ways/lanes.ts'
import type { IncomingBody } from './incoming-body.ts'
import type { Leg, LegRecipient } from './leg.ts'
import { goes, type Placed } from './placing.ts'

/** One way that recipients go, with a backend asked for them as they come. */
export interface OpenLeg extends Leg {
  readonly recipients: LegRecipient[]
}

export class SenderTransaction {
  readonly id: string
  readonly envelope: Envelope
  readonly client: Client
  /** Whether there is room for it is asked at MAIL; it is taken as the octets come. */
  readonly body: IncomingBody
  /** Recipients that were accepted, by canonical address, with what was said: the same one again hears the same. */
  readonly accepted = new Map<string, Reply>()
  /** Of those recipients. */
  readonly domains = new Set<string>()
  /** What was delivered, until its sender has been told: it may have to be known again. */
  unheard: Body | undefined
  #legs: OpenLeg[] = []

  constructor(id: string, envelope: Envelope, client: Client, body: IncomingBody) {
    this.id = id
    this.envelope = envelope
    this.client = client
    this.body = body
  }

  /** A recipient is part of the message now. */
  take(leg: OpenLeg, taken: LegRecipient): void {
    leg.recipients.push(taken)
    this.domains.add(taken.recipient.domain ?? '')
  }

  /** The legs that have recipients. */
  get taken(): readonly OpenLeg[] {
    return this.#legs.filter(({ recipients }) => recipients.length > 0)
  }

  /**
   * The part of the transaction that goes this way. A leg holds no session while it waits for another, so the others give theirs back.
   * @param fairnessKey  whose turn it is where sessions are few
   */
  legFor(placed: Placed, fairnessKey: string, deps: CutThroughDeps): OpenLeg {
    const known = this.#legs.find((leg) => goes(leg, placed))
    for (const leg of this.#legs) if (leg !== known) leg.cut.giveBack()
    if (known) return known
    for (const { cut, recipients } of this.#legs) if (recipients.length === 0) cut.abandon()
    const made = this.#open(placed, fairnessKey, deps)
    this.#legs = [...this.taken, made]
    return made
  }

  #open({ route, domain, recipient }: Placed, fairnessKey: string, deps: CutThroughDeps): OpenLeg {
    const job = { id: this.id, client: this.client, envelope: this.envelope, fairnessKey }
    const policy = domain?.hold ?? neverHold
    const way = { lane: laneOf(route, recipient.domain), route, domain: recipient.domain, policy }
    return { cut: new CutThrough(route, recipient.domain, job, deps), way, domain, recipients: [] }
  }

  /** Nothing more is wanted of any backend, unless one may have the message already. */
  abandon(): void {
    for (const { cut } of this.#legs) cut.abandon()
  }
}
