/** How long each endpoint takes from the dot to its answer, lately. For `figures`. */
import type { Clock } from '../../base/clock.ts'
import { addFine, countFine, type FineCounts, type Percentiles, percentiles } from './histogram.ts'

export interface Latencies {
  /** @param endpoint  as `BackendReport` has it; empty for a Maildir */
  count(backend: string, endpoint: string, ms: number): void
  of(backend: string, endpoint: string): Percentiles
}

const windowMs = 5 * 60_000
const mostEndpoints = 1_000

/** This window and the one before it, so that what is said is of now and not of last week. */
export function createLatencies(clock: Clock): Latencies {
  let current = new Window()
  let previous = new Window()
  let beganMs = clock.monotonicMs()
  const turn = () => {
    const windows = Math.floor((clock.monotonicMs() - beganMs) / windowMs)
    if (windows < 1) return
    previous = windows === 1 ? current : new Window()
    current = new Window()
    beganMs += windows * windowMs
  }
  return {
    count(backend, endpoint, ms) {
      turn()
      const counts = current.toCount(backend, endpoint)
      if (counts) countFine(counts, ms)
    },
    of(backend, endpoint) {
      turn()
      const counts: FineCounts = []
      for (const window of [previous, current]) addFine(counts, window.of(backend, endpoint) ?? [])
      return percentiles(counts)
    },
  }
}

/** By backend and then by endpoint: a key of both would be put together, and hashed, for each message. */
class Window {
  readonly #counts = new Map<string, Map<string, FineCounts>>()
  #size = 0

  of(backend: string, endpoint: string): FineCounts | undefined {
    return this.#counts.get(backend)?.get(endpoint)
  }

  /** The same, made where it is missing; undefined where there is no room for it. */
  toCount(backend: string, endpoint: string): FineCounts | undefined {
    const known = this.of(backend, endpoint)
    if (known || this.#size >= mostEndpoints) return known
    this.#size++
    const made: FineCounts = []
    const endpoints = this.#counts.get(backend)
    if (endpoints) endpoints.set(endpoint, made)
    else this.#counts.set(backend, new Map([[endpoint, made]]))
    return made
  }
}
