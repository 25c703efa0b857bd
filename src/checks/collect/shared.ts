/** Work whose outcome serves all domains of a run: done once at a time for a key, and remembered for a while, in bounded memory. */
import type { Clock } from '../../base/clock.ts'
import { memoryOfRecords } from '../../dns/answer-memory.ts'
import { createCache } from '../../dns/cache.ts'
import type { DnsRecord } from '../../dns/message.ts'

export interface Sharing<V> {
  /** How long an outcome serves others; 0: it came of what this domain alone had, such as its time, and serves nobody else. */
  keepMs(outcome: V): number
  /** What it takes of `room`. */
  cost(outcome: V): number
  readonly room: number
}

/** The `cost` of records in a room that is counted in KiB. In memory they may take a hundred times the octets that they were on the way. */
export function keptKiB(bytes: number, ...sections: readonly (readonly DnsRecord[])[]): number {
  const octets = sections.reduce((sum, records) => sum + memoryOfRecords(records), 0)
  return 1 + Math.floor(Math.max(bytes, octets) / 1024)
}

export type Shared<V> = (key: string, work: () => Promise<V>) => Promise<V>

export function createShared<V extends object>({ keepMs, cost, room }: Sharing<V>, clock: Clock): Shared<V> {
  const known = createCache<V>(room, clock)
  const inProgress = new Map<string, Promise<V>>()
  return async (key, work) => {
    const before = known.get(key)
    if (before) return before
    const running = inProgress.get(key)
    if (running) {
      const others = await running
      if (keepMs(others) > 0) return others
    }
    const started = work()
    inProgress.set(key, started)
    try {
      const outcome = await started
      known.set(key, outcome, keepMs(outcome), cost(outcome))
      return outcome
    } finally {
      if (inProgress.get(key) === started) inProgress.delete(key)
    }
  }
}
