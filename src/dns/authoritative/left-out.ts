/**
 * Which addresses are left out of answers because nobody takes mail there now: of the hosts for which that was declared, and never the last one of
 * a set. Used by `zones.ts`; who is down, `publish/builtin/exchanger-health.ts` knows.
 */
import type { IpAddress } from '../../base/ip.ts'
import { typeCodes } from '../types.ts'
import type { WireName } from '../wire-name.ts'
import type { Entry, RecordSet } from './zone.ts'

export interface LeftOut {
  /** Its addresses can be left out from now on. */
  add(entry: Entry): void
  remove(entry: Entry): void
  /** The set as it is given out. */
  shown(entry: Entry, set: RecordSet): Pick<RecordSet, 'type' | 'ttlSeconds' | 'data'>
  /** Looks anew at who is down. */
  changed(): void
}

export interface LeftOutDeps {
  readonly isDown: (address: IpAddress) => boolean
  /** The TTL of addresses that can be left out, seconds. */
  readonly healthyTtlSeconds: number
  /** Told the names whose addresses are others now. */
  readonly touch: (name: WireName) => void
}

export const isAddressSet = (set: RecordSet) => set.type === typeCodes.A || set.type === typeCodes.AAAA

export function createLeftOut({ isDown, healthyTtlSeconds, touch }: LeftOutDeps): LeftOut {
  /** With those of their addresses that are down. */
  const entries = new Map<Entry, string>()
  const down = new Set<IpAddress>()
  return {
    add: (entry) => void entries.set(entry, ''),
    remove: (entry) => void entries.delete(entry),

    shown(entry, set) {
      if (!entry.isHealthy || !isAddressSet(set)) return set
      const up = set.data.filter((data) => !('address' in data && down.has(data.address)))
      // Never the last one: that everything is down may be an error of ours, and senders try again anyway.
      const data = up.length > 0 ? up : set.data
      return { type: set.type, ttlSeconds: Math.min(set.ttlSeconds, healthyTtlSeconds), data }
    },

    changed() {
      down.clear()
      for (const [entry, before] of entries) {
        const addresses = entry.sets.flatMap((set) =>
          set.data.flatMap((data) => ('address' in data ? [data.address] : [])),
        )
        const out = addresses.filter(isDown)
        for (const address of out) down.add(address)
        const now = out.join(' ')
        if (now === before) continue
        entries.set(entry, now)
        touch(entry.name)
      }
    },
  }
}
