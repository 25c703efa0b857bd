/** What is added up by hour until it is written: figures by domain, and how long each backend and exchanger was there. For `recorder`. */
import { addFine, type FineCounts } from '../gateway/figures/histogram.ts'
import type { AvailableRow, HourRow } from './tables.ts'

export interface DomainHour extends HourRow {
  readonly counts: Record<string, number>
  readonly latency: FineCounts
}

interface AvailableHour extends AvailableRow {
  up: number
  known: number
}

export interface TakenSums {
  readonly hours: readonly DomainHour[]
  readonly available: readonly AvailableHour[]
}

const hourMs = 3_600_000
/** Domains that one hour is told apart by; all others are `other`. */
const mostDomains = 10_000

/** Adds to one figure of an hour, which begins at 0. @param name  of the figure */
export function addTo({ counts }: DomainHour, name: string, more = 1): void {
  counts[name] = (counts[name] ?? 0) + more
}

export class HourlySums {
  #hours = new Map<string, DomainHour>()
  #available = new Map<string, AvailableHour>()
  /** Those of the hour that was asked for last, by domain: each message asks, and a key of both would be put together for it. */
  #latest = new Map<string, DomainHour>()
  #latestMs = Number.NaN

  of(domain: string, atMs: number): DomainHour {
    const hour = hourOf(atMs)
    if (hour !== this.#latestMs) {
      this.#latest = new Map()
      this.#latestMs = hour
    }
    const known = this.#latest.get(domain)
    if (known) return known
    const found = this.#find(domain, hour)
    if (found.domain === domain) this.#latest.set(domain, found)
    return found
  }

  #find(domain: string, atMs: number): DomainHour {
    const key = `${atMs} ${domain}`
    const found = this.#hours.get(key)
    if (found) return found
    if (this.#hours.size >= mostDomains && domain !== 'other') return this.#find('other', atMs)
    const made = { atMs, domain, counts: {}, latency: [] }
    this.#hours.set(key, made)
    return made
  }

  /** @param up  of `known`: milliseconds, or checks */
  addAvailable(kind: 'backend' | 'exchanger', name: string, up: number, known: number, atMs: number): void {
    this.#addAvailable({ atMs: hourOf(atMs), kind, name, up, known })
  }

  #addAvailable(hour: AvailableHour): void {
    const key = `${hour.atMs} ${hour.kind} ${hour.name}`
    const found = this.#available.get(key)
    if (found) {
      found.up += hour.up
      found.known += hour.known
    } else this.#available.set(key, hour)
  }

  /** All that there is; then it begins anew. */
  take(): TakenSums {
    const taken = { hours: [...this.#hours.values()], available: [...this.#available.values()] }
    this.#hours = new Map()
    this.#latest = new Map()
    this.#available = new Map()
    return taken
  }

  /** It was not written: it goes along with what has come since. */
  putBack({ hours, available }: TakenSums): void {
    for (const hour of hours) {
      const key = `${hour.atMs} ${hour.domain}`
      const found = this.#hours.get(key)
      if (!found) this.#hours.set(key, hour)
      else {
        for (const [name, count] of Object.entries(hour.counts)) addTo(found, name, count)
        addFine(found.latency, hour.latency)
      }
    }
    for (const hour of available) this.#addAvailable(hour)
  }
}

/** When the hour began that it lies in: figures are known by whole hours of UTC. */
export const hourOf = (atMs: number) => Math.floor(atMs / hourMs) * hourMs
