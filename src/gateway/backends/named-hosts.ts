/**
 * Addresses of backends that are declared by name, by the system's resolver, kept for a while: whoever asks again hears the last good answer at once.
 * For `endpoints`.
 */
import type { Clock } from '../../base/clock.ts'
import { errorCode } from '../../base/error-code.ts'
import type { HostLookup } from '../../base/host-lookup.ts'
import type { IpAddress } from '../../base/ip.ts'
import type { Log } from '../../base/log.ts'
import type { HostName } from '../../dns/name.ts'

export interface NamedHosts {
  /** Fresh for 30 s; after that the last good answer serves while a new one is fetched. Only the first caller of all waits. */
  addressesOf(host: HostName): readonly IpAddress[] | Promise<readonly IpAddress[]>
  /** As that of `Endpoints`. */
  whyNameless(host: string): string | undefined
}

const cachedMs = 30_000

/** @param onFound  a name that had no address has one */
export function createNamedHosts(
  clock: Clock,
  log: Log,
  lookup: HostLookup,
  onFound: (host: HostName) => void,
): NamedHosts {
  const hosts = new Map<string, HostEntry>()

  async function fetch(host: HostName, entry: HostEntry): Promise<readonly IpAddress[]> {
    const wasNameless = entry.addresses.length === 0 && entry.why !== undefined
    try {
      const addresses = await lookup(host)
      if (addresses.length > 0) entry.addresses = addresses
      entry.why = addresses.length > 0 ? undefined : 'no address'
    } catch (error) {
      entry.why = String(errorCode(error) ?? error)
      log.warn('backend name not resolved', { host, why: entry.why, kept: entry.addresses })
    }
    entry.fetchedMs = clock.monotonicMs()
    entry.fetching = undefined
    // A name that has no address yet is asked for again soon: a container may be starting.
    entry.freshUntilMs = clock.monotonicMs() + (entry.addresses.length > 0 ? cachedMs : 1_000)
    if (wasNameless && entry.addresses.length > 0) onFound(host)
    return entry.addresses
  }

  return {
    addressesOf(host) {
      const entry = hosts.get(host) ?? { ...unknownHost }
      hosts.set(host, entry)
      if (clock.monotonicMs() < entry.freshUntilMs) return entry.addresses
      entry.fetching ??= fetch(host, entry)
      return entry.addresses.length > 0 ? entry.addresses : entry.fetching
    },
    whyNameless(host) {
      const entry = hosts.get(host)
      if (!entry || entry.addresses.length > 0 || entry.why === undefined) return undefined
      if (clock.monotonicMs() - entry.fetchedMs > cachedMs) entry.fetching ??= fetch(host as HostName, entry)
      return entry.why
    },
  }
}

interface HostEntry {
  addresses: readonly IpAddress[]
  /** Why there is none, where it was asked for. */
  why: string | undefined
  fetchedMs: number
  freshUntilMs: number
  fetching: Promise<readonly IpAddress[]> | undefined
}

const unknownHost: HostEntry = {
  addresses: [],
  why: undefined,
  fetchedMs: Number.NEGATIVE_INFINITY,
  freshUntilMs: Number.NEGATIVE_INFINITY,
  fetching: undefined,
}
