/** What became of one look-up: what `resolver.ts` answers and remembers, and `asker.ts` makes of what servers said. */
import type { DnsRecord } from './message.ts'
import type { RdataOf } from './rdata.ts'
import type { Failure } from './read-answer.ts'
import type { NameServer } from './servers.ts'
import type { RecordType } from './types.ts'
import type { WireName } from './wire-name.ts'

interface Known {
  /** The name at the end of the aliases; the one that was asked for where there are none. */
  readonly canonicalName: WireName
  /** The targets of the CNAMEs that were followed, in order, at most 16. */
  readonly aliases: readonly WireName[]
  /** How long this may be used without asking again; counts down while it is in the cache. */
  readonly ttlSeconds: number
  /** The server said AD in every step, and stands on a loopback address, so that nobody else can have said it. */
  readonly authenticated: boolean
  /** Its TTL has passed, and no server answers. */
  readonly stale: boolean
  /** The server that said it; where aliases were followed, the one that said the last step. */
  readonly server: NameServer
}

export type Resolution<T extends RecordType = RecordType> =
  | (Known & { readonly kind: 'answer'; readonly records: readonly DnsRecord<RdataOf<T>>[] })
  /** The name exists without data of this type. */
  | (Known & { readonly kind: 'no-data' })
  /** NXDOMAIN. With aliases, it is the end of them that does not exist (RFC 6604 §3). */
  | (Known & { readonly kind: 'no-such-name' })
  | Failure
