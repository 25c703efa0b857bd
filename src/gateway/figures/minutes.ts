/** The last 24 hours, minute by minute, for charts: rates, the depth of the queue, latency. For `figures`. */
import type { MessageEvent, MessageVerdict } from '../events.ts'
import { type ByVerdict, noVerdicts } from './by-verdict.ts'
import type { Gauges } from './gauges.ts'
import { countFine, type FineCounts, type Percentiles, percentiles } from './histogram.ts'

export interface Minute extends Percentiles, ByVerdict {
  /** Wall clock of its end. */
  readonly atMs: number
  /** Held messages that were delivered. */
  readonly drained: number
  /** Octets of messages that were delivered or held. */
  readonly bytes: number
  /** At its end. */
  readonly queueMessages: number
  /** Age of the oldest held message, 0 where nothing is held. */
  readonly oldestSeconds: number
  readonly connections: number
}

export interface Minutes {
  message(event: MessageEvent): void
  drained(): void
  /** The minute is over. */
  close(nowMs: number, gauges: Gauges): void
  list(): readonly Minute[]
}

const minutesKept = 1_440

export function createMinutes(): Minutes {
  const kept: Minute[] = []
  let open = none()

  return {
    message({ kind, bytes, ms }) {
      open.counts[kind]++
      if (kind === 'delivered') countFine(open.latency, ms)
      if (kind !== 'refused' && kind !== 'deferred') open.bytes += bytes
    },
    drained: () => void open.drained++,
    close(nowMs, { held, connections }) {
      const { counts, latency, bytes, drained } = open
      open = none()
      kept.push({
        atMs: nowMs,
        ...counts,
        drained,
        bytes,
        ...percentiles(latency),
        queueMessages: held?.messages ?? 0,
        oldestSeconds: held?.oldestMs === undefined ? 0 : Math.max(0, Math.round((nowMs - held.oldestMs) / 1000)),
        connections,
      })
      // In steps, so that the whole day is not moved each minute.
      if (kept.length > minutesKept + 60) kept.splice(0, kept.length - minutesKept)
    },
    list: () => kept.slice(-minutesKept),
  }
}

interface Open {
  readonly counts: Record<MessageVerdict, number>
  readonly latency: FineCounts
  bytes: number
  drained: number
}

const none = (): Open => ({
  counts: noVerdicts(),
  latency: [],
  bytes: 0,
  drained: 0,
})
