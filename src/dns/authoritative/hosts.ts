/**
 * The hosts whose addresses stand in prepared answers, each with a number that grows when its addresses change: an answer that was made with other
 * numbers is made again when it is asked for. Used by `zones.ts`.
 */
import type { WireName } from '../wire-name.ts'
import type { Host } from './prepared.ts'

export interface Hosts {
  /** Remembered from now on. @param name  folded */
  host(name: WireName): Host
  /** Its addresses are others, or it came or went. */
  touch(name: WireName): void
  /** Lets go of those that nobody names any more, when they are many. @param names  how many are served */
  forgetUnused(names: number): void
}

/** Hosts that are remembered beyond those in use, before all are forgotten. */
const spare = 10_000

export function createHosts(): Hosts {
  const hosts = new Map<WireName, Host>()
  let most = spare
  let lastId = 0
  return {
    host(name) {
      let host = hosts.get(name)
      if (!host) {
        host = { id: ++lastId, version: 0 }
        hosts.set(name, host)
      }
      return host
    },
    touch(name) {
      const host = hosts.get(name)
      if (host) host.version++
    },
    forgetUnused(names) {
      if (hosts.size <= most) return
      for (const host of hosts.values()) host.version++
      hosts.clear()
      most = spare + names
    },
  }
}
