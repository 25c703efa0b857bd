/**
 * Who is asked next: the candidates of one transaction in their order, and what was learnt from those that could not take it.
 * `staging` takes from the front until one serves or nobody is left.
 */
import type { Reply } from '../../mail/reply.ts'
import type { Endpoint } from '../../routing/backend.ts'
import type { Candidate } from '../../routing/balance.ts'
import * as verdict from './verdict.ts'

export class LineUp {
  readonly #waiting: Candidate[]
  /** A tier whose sessions are all taken: worse tiers are not tried because of load. */
  #busyTier: number | undefined
  /** The backend's own words to a replay: it wants none of the recipients, or nothing of this sender. */
  #refusal: Pick<Nobody, 'reply' | 'replies'> | undefined
  // Why nobody could take it: what was met on the way.
  #isMisconfigured = false
  #isDisagreeing = false
  /** What the sender hears where backends were reached and cannot. */
  #unable: Reply | undefined
  readonly #isCandidate: (endpoint: Endpoint, nowMs: number) => boolean

  /** @param isCandidate  whether mail may be handed to the endpoint now: its state may have changed since the line was formed */
  constructor(candidates: readonly Candidate[], isCandidate: (endpoint: Endpoint, nowMs: number) => boolean) {
    this.#waiting = [...candidates]
    this.#isCandidate = isCandidate
  }

  /** @param nowMs  on the monotonic clock */
  next(nowMs: number): Candidate | undefined {
    for (;;) {
      const candidate = this.#shift()
      if (!candidate || this.#isCandidate(candidate.endpoint, nowMs)) return candidate
    }
  }

  #shift(): Candidate | undefined {
    const busyTier = this.#busyTier
    if (busyTier === undefined) return this.#waiting.shift()
    // A suspect member of the busy tier stands behind the worse tiers that are up.
    const at = this.#waiting.findIndex(({ tier }) => tier <= busyTier)
    return at < 0 ? undefined : this.#waiting.splice(at, 1)[0]
  }

  /** Whether the host of this one waits with an address of the other family too: both are tried, with a head start (RFC 8305). */
  hasSibling(of: Candidate, nowMs: number): boolean {
    return this.#siblingAt(of, nowMs) >= 0
  }

  /** Takes that other address out of the line. */
  takeSibling(of: Candidate, nowMs: number): Candidate | undefined {
    const at = this.#siblingAt(of, nowMs)
    return at < 0 ? undefined : this.#waiting.splice(at, 1)[0]
  }

  #siblingAt({ endpoint: { backend, name, target }, tier }: Candidate, nowMs: number): number {
    if (target.kind !== 'tcp' || this.#waiting.length === 0) return -1
    const isIpv6 = target.address.includes(':')
    return this.#waiting.findIndex(
      (other) =>
        other.tier === tier &&
        other.endpoint.backend.key === backend.key &&
        other.endpoint.name === name &&
        other.endpoint.target.kind === 'tcp' &&
        other.endpoint.target.address.includes(':') !== isIpv6 &&
        this.#isCandidate(other.endpoint, nowMs),
    )
  }

  /** This one once more, before all others. */
  again(candidate: Candidate): void {
    this.#waiting.unshift(candidate)
  }

  /** The same, wherever it stands in the line, if it is a candidate still. */
  putFirst(candidate: Candidate): void {
    const at = this.#waiting.findIndex((other) => other.endpoint.key === candidate.endpoint.key)
    if (at < 0) return
    const [found] = this.#waiting.splice(at, 1)
    if (found) this.#waiting.unshift(found)
  }

  noteBusy(candidate: Candidate): void {
    this.#busyTier ??= candidate.tier
  }

  /** A backend was reached, and it said that it cannot take mail now. @param own  the words, where they are ours: of a Maildir */
  noteUnable(own?: Reply): void {
    this.#unable ??= own ?? verdict.unableReply
  }

  noteMisconfigured(): void {
    this.#isMisconfigured = true
  }

  noteDisagreement(): void {
    this.#isDisagreeing = true
  }

  /** @param said  to each recipient that was said again, in order */
  noteRefusal(said: readonly Reply[]): void {
    const [reply] = said
    if (reply) this.#refusal ??= { reply, replies: said }
  }

  /** @param said  to MAIL, which is of the whole transaction: whoever is in it, and whoever is asked for behind it */
  noteSenderRefused(said: Reply): void {
    this.#refusal ??= { reply: said }
  }

  /** Another one has accepted them again: what was refused before is not the last word. */
  noteAccepted(): void {
    this.#refusal = undefined
  }

  /**
   * Why nobody is left: a refusal, then what a person must mend, then load; else the route is out, or its backends are of two minds about
   * recipients that one of them took, and each recipient is better asked for alone, from the hold.
   */
  nobodyLeft(): Nobody {
    if (this.#refusal) return { kind: 'nobody', why: 'refused', ...this.#refusal }
    if (this.#isMisconfigured) return nobodyConfigured
    if (this.#isDisagreeing) return { kind: 'nobody', why: 'disagreeing', reply: verdict.disagreeingReply }
    if (this.#unable) return { kind: 'nobody', why: 'unable', reply: this.#unable }
    // Busy is not down: nothing is held because of load.
    if (this.#busyTier !== undefined) return { kind: 'nobody', why: 'busy', reply: verdict.busyReply }
    return routeIsOut
  }
}

/** No backend could be asked. */
export interface Nobody {
  readonly kind: 'nobody'
  readonly why: 'refused' | 'misconfigured' | 'disagreeing' | 'unable' | 'busy' | 'out'
  /** What the sender hears where nothing is held. */
  readonly reply: Reply
  /** Where those who were accepted before were said again and refused at RCPT: what was said of each, in order. It says nothing of anybody else. */
  readonly replies?: readonly Reply[] | undefined
}

export const routeIsOut: Nobody = { kind: 'nobody', why: 'out', reply: verdict.noBackendReply }
/** Each was in order but for what a person must mend. */
export const nobodyConfigured: Nobody = { kind: 'nobody', why: 'misconfigured', reply: verdict.misconfiguredReply }
