/**
 * The serials of zones: kept, and only growing (RFC 1982). A secondary that saw a serial takes no zone with an older one, so a serial
 * stands in the store before anybody hears it, and a zone that is taken away and comes back goes on from where it was.
 */
import type { Clock } from '../../base/clock.ts'
import { dateSerial, isNewerSerial, nextSerial } from '../serial.ts'
import type { WireName } from '../wire-name.ts'
import type { ReadZone } from './zone.ts'

export interface KeptSerial {
  /** Folded. */
  readonly origin: WireName
  readonly serial: number
  /** Of the records that it stands for. */
  readonly digest: string
}

/** Where serials outlive the process. */
export interface SerialStore {
  load(): Promise<readonly KeptSerial[]>
  /** Resolves when they are on stable storage. */
  save(serials: readonly KeptSerial[]): Promise<void>
}

export interface Serials {
  /** The serials of these zones, by folded origin: the kept one where the records are those that it stood for. */
  next(zones: readonly ReadZone[]): Promise<ReadonlyMap<WireName, number>>
}

export interface SerialsDeps {
  readonly store: SerialStore
  readonly clock: Clock
  /** Lets others work when enough was done at a stretch. */
  readonly breathe: () => Promise<void> | undefined
}

/** So many are handed to the store at once. */
const batch = 1000

export function createSerials(deps: SerialsDeps): Serials {
  let loading: Promise<Map<WireName, KeptSerial>> | undefined
  const load = () => deps.store.load().then((kept) => new Map(kept.map((one) => [one.origin, one] as const)))

  return {
    async next(zones) {
      loading ??= load().catch((error: unknown) => {
        loading = undefined
        throw error
      })
      const kept = await loading
      const serials = new Map<WireName, number>()
      const changed: KeptSerial[] = []
      const nowMs = deps.clock.now()
      for (const { origin, digest, soa } of zones) {
        await deps.breathe()
        const before = kept.get(origin)
        const least = soa.data.serial
        const isBehind = before !== undefined && least !== 0 && isNewerSerial(least, before.serial)
        const isSame = before?.digest === digest && !isBehind
        const serial = isSame ? before.serial : followingSerial(before?.serial, least, nowMs)
        serials.set(origin, serial)
        if (!isSame) changed.push({ origin, serial, digest })
      }
      for (let at = 0; at < changed.length; at += batch) {
        const some = changed.slice(at, at + batch)
        await deps.store.save(some)
        for (const one of some) kept.set(one.origin, one)
      }
      return serials
    },
  }
}

/**
 * The serial of a zone whose records have changed.
 * @param before  that of the records before, if there were any
 * @param least  what the zone's own SOA says; 0: nothing
 * @param nowMs  since 1970
 */
export function followingSerial(before: number | undefined, least: number, nowMs: number): number {
  if (before === undefined) return least === 0 ? dateSerial(nowMs) : least
  const next = nextSerial(before, nowMs)
  if (next.kind === 'stuck') throw new TypeError(`no serial behind ${before}`)
  return least !== 0 && isNewerSerial(least, next.serial) ? least : next.serial
}
