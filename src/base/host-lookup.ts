/**
 * Names of hosts that a person has written down (a backend, a webhook, `--server`), resolved as this machine resolves them: so `/etc/hosts`, search
 * domains and names of containers work. What mail or DNS names is asked for by `dns/resolver.ts`, which knows no such thing.
 */
import { lookup } from 'node:dns/promises'
import { type Clock, within } from './clock.ts'
import { type IpAddress, parseIp } from './ip.ts'

/**
 * Addresses of a host, in the system's order; there may be none. Rejects with the system's error (`code` ENOTFOUND, EAI_AGAIN …), or with
 * ETIMEDOUT where the system has not answered in time.
 */
export type HostLookup = (host: string) => Promise<readonly IpAddress[]>

/** What resolv.conf(5) allows one name server by default, three times: the system has its own word by then, mostly. */
const longestMs = 30_000

/** @param ask  for tests: the system's resolver, `getaddrinfo` */
export function createHostLookup(clock: Clock, ask: HostLookup = systemLookup): HostLookup {
  return async (host) => {
    // `getaddrinfo` cannot be broken off; it is only not waited for any more.
    const found = await within(ask(host), clock.monotonicMs() + longestMs, clock)
    if (found) return found
    throw Object.assign(new Error(`no answer for ${host} in ${longestMs / 1000} s`), { code: 'ETIMEDOUT' })
  }
}

async function systemLookup(host: string): Promise<readonly IpAddress[]> {
  // A final dot keeps search domains away, but then /etc/hosts does not match: names with a dot in them are left as they are.
  const found = await lookup(host, { all: true, order: 'verbatim' })
  return found.map(({ address }) => parseIp(address)).filter((address) => address !== undefined)
}
