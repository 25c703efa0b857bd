/**
 * Who is asked next: the candidates of one transaction in their order, and what was learnt from those that could not take it.
 * `cut-through` takes from the front until one serves or nobody is left.
 */
import type { Reply } from '../mail/reply.ts'
import type { Candidate } from '../routing/balance.ts'
import * as verdict from './verdict.ts'

export class LineUp {
  readonly #waiting: Candidate[]
  /** A tier whose sessions are all taken: worse tiers are not tried because of load (SEMANTICS.md §4). */
  #busyTier: number | undefined
  /** The backend's own word, said again to a replay by all recipients alike. */
  #refusal: Reply | undefined
  #reasons = new Set<'misconfigured' | 'disagreeing' | 'busy'>()

  constructor(candidates: readonly Candidate[]) {
    this.#waiting = [...candidates]
  }

  next(): Candidate | undefined {
    const busyTier = this.#busyTier
    if (busyTier === undefined) return this.#waiting.shift()
    // A suspect member of the busy tier stands behind the worse tiers that are up.
    const at = this.#waiting.findIndex(({ tier }) => tier <= busyTier)
    return at < 0 ? undefined : this.#waiting.splice(at, 1)[0]
  }

  /**
   * The other family of the host that was just taken, if it is next: both are tried with a head start (RFC 8305).
   * It leaves the line only when it is taken by `next`.
   */
  sibling(of: Candidate): Candidate | undefined {
    const next = this.#waiting[0]
    if (next?.endpoint.target.kind !== 'tcp' || of.endpoint.target.kind !== 'tcp') return undefined
    const isSameHost = next.endpoint.backend.key === of.endpoint.backend.key && next.endpoint.name === of.endpoint.name
    const isOtherFamily = next.endpoint.target.address.includes(':') !== of.endpoint.target.address.includes(':')
    return isSameHost && isOtherFamily ? next : undefined
  }

  /** This one once more, before all others. */
  again(candidate: Candidate): void {
    this.#waiting.unshift(candidate)
  }

  isBusy(candidate: Candidate): void {
    this.#busyTier ??= candidate.tier
    this.#reasons.add('busy')
  }

  refusesUs(): void {
    this.#reasons.add('misconfigured')
  }

  disagrees(): void {
    this.#reasons.add('disagreeing')
  }

  refuses(said: Reply): void {
    this.#refusal ??= said
  }

  /** What the sender hears when nobody is left: a refusal, then what a person must mend, then load; else the route is out. */
  nobodyLeft(): Reply {
    if (this.#refusal) return this.#refusal
    if (this.#reasons.has('misconfigured')) return verdict.misconfiguredReply
    if (this.#reasons.has('disagreeing')) return verdict.disagreeingReply
    return this.#reasons.has('busy') ? verdict.busyReply : verdict.noBackendReply
  }
}
