/**
 * How much of the hold the messages of each client network (/24 or /48) take for each recipient domain, so that one client cannot have all that is a
 * domain's. Counted in buckets by hash, because there are as many networks as a sender likes: two that fall together count as one, which hits a
 * stranger with one chance in 65,536 and only where a domain is short of room. The hash needs no secret: who can choose networks until two fall
 * together can as well fill the domain's quarter from several. For `counters.ts`, `quota.ts` beside says what a share is.
 */
import { type IpAddress, networkKey } from '../base/ip.ts'

const buckets = 65_536

/** Octets by bucket, as `heldCost` counts them. */
export const emptyShares = (): Float64Array => new Float64Array(buckets)

/** The bucket of a client's messages for a domain: FNV-1a of both names. */
export function shareBucket(domain: string, client: IpAddress): number {
  const text = `${networkKey(client)} ${domain}`
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  // Both halves count.
  return ((hash >>> 16) ^ hash) & (buckets - 1)
}
