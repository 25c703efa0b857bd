/** Messages, and what they take of the hold, by the domain of a recipient; recipients by state. For `counters`. */
import { never, type Oldest } from './oldest.ts'
import { type DomainSummary, type RecipientState, recipientStates } from './queue.ts'
import { numberOfState } from './state-numbers.ts'

interface DomainCount {
  messages: number
  bytes: number
  liveCost: number
  oldestMs: number
  /** Recipients, by the number of the state. */
  readonly byState: number[]
}

export interface LoadedDomain {
  readonly domain: string
  readonly messages: number
  readonly bytes: number
  readonly liveCost: number
  readonly oldestMs: number
}

export interface LoadedState {
  readonly domain: string
  readonly state: RecipientState
  readonly recipients: number
}

/** What a message counts for with the first of its recipients in a domain. */
export interface DomainMessage {
  readonly size: number
  readonly cost: number
  readonly receivedMs: number
  /** Only for a person (`isOnlyKept`). */
  readonly kept: boolean
}

export class DomainCounts {
  readonly #oldest: Oldest
  #domains = new Map<string, DomainCount>()

  constructor(oldest: Oldest) {
    this.#oldest = oldest
  }

  count(name: string, state: RecipientState, message: DomainMessage | undefined, sign: 1 | -1): void {
    let domain = this.#domains.get(name)
    if (!domain) {
      domain = { messages: 0, bytes: 0, liveCost: 0, oldestMs: never, byState: [] }
      this.#domains.set(name, domain)
    }
    const number = numberOfState[state]
    domain.byState[number] = (domain.byState[number] ?? 0) + sign
    if (message) {
      domain.messages += sign
      domain.bytes += sign * message.size
      if (!message.kept) domain.liveCost += sign * message.cost
      domain.oldestMs = this.#oldest.behind(domain.oldestMs, message.receivedMs, sign, domain.messages === 0)
    }
    if (domain.byState.every((held) => !held)) this.#domains.delete(name)
  }

  load(domains: Iterable<LoadedDomain>, states: Iterable<LoadedState>): void {
    this.#domains = new Map()
    for (const { domain, ...held } of domains) this.#domains.set(domain, { ...held, byState: [] })
    for (const { domain, state, recipients } of states) {
      const held = this.#domains.get(domain)
      if (held) held.byState[numberOfState[state]] = recipients
    }
  }

  setOldest(oldest: Iterable<readonly [string, number]>): void {
    for (const [name, oldestMs] of oldest) {
      const domain = this.#domains.get(name)
      if (domain) domain.oldestMs = oldestMs
    }
  }

  liveCost(domain: string): number {
    return this.#domains.get(domain)?.liveCost ?? 0
  }

  summaries(): DomainSummary[] {
    return [...this.#domains].map(([domain, { messages, bytes, oldestMs, byState }]) => ({
      domain,
      messages,
      bytes,
      oldestMs,
      byState: Object.fromEntries(recipientStates.map((state, number) => [state, byState[number]]).filter(isThere)),
    }))
  }
}

const isThere = ([, recipients]: (string | number | undefined)[]) => recipients !== undefined && recipients !== 0
