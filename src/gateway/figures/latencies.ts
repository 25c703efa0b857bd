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
  let current = new Map<string, FineCounts>()
  let previous = new Map<string, FineCounts>()
  let beganMs = clock.monotonicMs()
  const turn = () => {
    const windows = Math.floor((clock.monotonicMs() - beganMs) / windowMs)
    if (windows < 1) return
    previous = windows === 1 ? current : new Map()
    current = new Map()
    beganMs += windows * windowMs
  }
  return {
    count(backend, endpoint, ms) {
      turn()
      const key = keyOf(backend, endpoint)
      const counts = current.get(key) ?? []
      if (counts.length === 0 && current.size >= mostEndpoints) return
      countFine(counts, ms)
      current.set(key, counts)
    },
    of(backend, endpoint) {
      turn()
      const key = keyOf(backend, endpoint)
      const counts: FineCounts = []
      for (const window of [previous, current]) addFine(counts, window.get(key) ?? [])
      return percentiles(counts)
    },
  }
}

const keyOf = (backend: string, endpoint: string) => `${backend} ${endpoint}`
