/**
 * Outages with a beginning and an end: of a backend, while none of its addresses serves; of a domain, from the first message that had to be held until
 * nothing of it waits any more, with how many were held and for how long. For `recorder`, which writes them down; read by `report`.
 */
import type { Random } from '../base/random.ts'
import type { DomainSummary } from '../queue/queue.ts'
import type { OutageRow } from './tables.ts'

export interface DomainOutage {
  /** Messages that were held, and what became of them. */
  readonly held: number
  readonly heldBytes: number
  readonly drained: number
  /** Whose time was over before a backend was there: told to their senders, or kept for a person. */
  readonly expired?: number
  /** The longest time that one of them has waited until it was delivered. */
  readonly longestMs: number
  /** Messages that were held when it was looked at last; unknown before that. */
  readonly left?: number
}

export interface Outages {
  backend(url: string, isUp: boolean, nowMs: number): void
  heldOne(domain: string, bytes: number, atMs: number): void
  drainedOne(domain: string, heldMs: number): void
  expiredOne(domain: string): void
  /** Whether a domain has one that lasts: else nobody need count what is held. */
  readonly hasHeld: boolean
  /** What is held now: domains of which nothing waits are over their outage. */
  held(domains: readonly DomainSummary[], nowMs: number): void
  /** Rows that are to be written, since the last call. */
  changed(): readonly OutageRow[]
  /** They are to be written again. */
  notWritten(rows: readonly OutageRow[]): void
}

interface Open {
  readonly id: string
  readonly kind: 'backend' | 'domain'
  readonly name: string
  readonly beganMs: number
  endedMs: number | null
  value: { held: number; heldBytes: number; drained: number; expired?: number; longestMs: number; left?: number }
}

const mostOpen = 10_000
/** A message that is held and goes at once is no outage that began and ended in one moment: it is looked at when the next look comes. */
const none = () => ({ held: 0, heldBytes: 0, drained: 0, longestMs: 0 })

/** @param before  those that had not ended when the last process did @param declaredOf  the declared domain that a recipient's domain belongs to */
export function createOutages(
  before: readonly OutageRow[],
  declaredOf: (domain: string) => string | undefined,
  random: Random,
): Outages {
  const open = new Map(before.map(openOf).map((outage) => [`${outage.kind} ${outage.name}`, outage]))
  /** By their ids: what has changed, and rows that could not be written. */
  const changed = new Map<string, Open>()
  const unwritten = new Map<string, OutageRow>()

  function begin(kind: Open['kind'], name: string, atMs: number): Open | undefined {
    const key = `${kind} ${name}`
    const found = open.get(key)
    if (found) return found
    if (open.size >= mostOpen) return undefined
    const id = `${Math.floor(atMs).toString(36)}-${random.bytes(5).toString('hex')}`
    const made: Open = { id, kind, name, beganMs: atMs, endedMs: null, value: none() }
    open.set(key, made)
    return made
  }

  /** Each message does so: its row is made when it is to be written. */
  const touch = (outage: Open) => void changed.set(outage.id, outage)

  function end(outage: Open, nowMs: number): void {
    outage.endedMs = Math.max(outage.beganMs, nowMs)
    if (outage.kind === 'domain') outage.value.left = 0
    open.delete(`${outage.kind} ${outage.name}`)
    touch(outage)
  }

  return {
    backend(url, isUp, nowMs) {
      const found = open.get(`backend ${url}`)
      if (isUp) {
        if (found) end(found, nowMs)
        return
      }
      const outage = found ?? begin('backend', url, nowMs)
      if (outage && !found) touch(outage)
    },
    heldOne(domain, bytes, atMs) {
      const outage = begin('domain', domain, atMs)
      if (!outage) return
      outage.value.held++
      outage.value.heldBytes += bytes
      touch(outage)
    },
    drainedOne(domain, heldMs) {
      const outage = open.get(`domain ${domain}`)
      if (!outage) return
      outage.value.drained++
      outage.value.longestMs = Math.max(outage.value.longestMs, Math.round(heldMs))
      touch(outage)
    },
    expiredOne(domain) {
      const outage = open.get(`domain ${domain}`)
      if (!outage) return
      outage.value.expired = (outage.value.expired ?? 0) + 1
      touch(outage)
    },
    get hasHeld() {
      for (const { kind } of open.values()) if (kind === 'domain') return true
      return false
    },
    held(domains, nowMs) {
      const waiting = waitingOf(domains, declaredOf)
      for (const outage of [...open.values()]) {
        if (outage.kind !== 'domain') continue
        const now = waiting.get(outage.name)
        if (!now) {
          end(outage, nowMs)
          continue
        }
        if (goesOn(outage, now, nowMs)) touch(outage)
      }
    },
    changed() {
      const rows = new Map([...unwritten, ...[...changed].map(([id, outage]) => [id, rowOf(outage)] as const)])
      changed.clear()
      unwritten.clear()
      return [...rows.values()]
    },
    notWritten(rows) {
      for (const row of rows) unwritten.set(row.id, row)
    },
  }
}

/** @returns whether that is news. @param now  what waits of it */
function goesOn({ value, beganMs }: Open, now: Waiting, nowMs: number): boolean {
  // What still waits has waited so long at least.
  const longestMs = Math.max(value.longestMs, Math.round(nowMs - Math.max(now.oldestMs, beganMs)))
  const isNews = now.messages !== value.left || longestMs > value.longestMs
  value.left = now.messages
  value.longestMs = longestMs
  return isNews
}

const rowOf = ({ id, kind, name, beganMs, endedMs, value }: Open): OutageRow => ({
  id,
  kind,
  name,
  beganMs,
  endedMs,
  value: JSON.stringify(value),
})

/** As it was written. */
const openOf = ({ id, kind, name, beganMs, value }: OutageRow): Open => ({
  id,
  kind: kind === 'backend' ? 'backend' : 'domain',
  name,
  beganMs,
  endedMs: null,
  value: { ...none(), ...(JSON.parse(value) as Partial<DomainOutage>) },
})

interface Waiting {
  readonly oldestMs: number
  readonly messages: number
}

/** What goes by itself when a backend is there, by declared domain. */
function waitingOf(
  domains: readonly DomainSummary[],
  declaredOf: (domain: string) => string | undefined,
): ReadonlyMap<string, Waiting> {
  const waiting = new Map<string, Waiting>()
  for (const { domain, byState, oldestMs, messages } of domains) {
    const isGoing = (byState.ready ?? 0) + (byState.waiting ?? 0) + (byState.unknown ?? 0) + (byState.offered ?? 0) > 0
    if (!isGoing) continue
    const name = declaredOf(domain) ?? domain
    const before = waiting.get(name)
    waiting.set(name, {
      oldestMs: Math.min(before?.oldestMs ?? oldestMs, oldestMs),
      messages: (before?.messages ?? 0) + messages,
    })
  }
  return waiting
}
