/**
 * The addresses of one mail host, both families, and what DNS said on the way. Called by `exchangers.ts` for each host. However many DNS gives,
 * the first hundred of each family are all that is kept: nobody tries more.
 */
import type { IpAddress } from '../base/ip.ts'
import type { HostName } from '../dns/name.ts'
import type { Resolution } from '../dns/resolution.ts'
import type { Resolver } from '../dns/resolver.ts'
import { nameFromHost, nameText } from '../dns/wire-name.ts'
import { interleave } from './addresses.ts'

/** What is used of an answer, with how far it can be trusted. */
export interface Trust {
  readonly ttlSeconds: number
  readonly authenticated: boolean
  readonly stale: boolean
}

export type HostAddresses = Trust & { readonly notes: readonly string[] } & (
    | {
        readonly kind: 'found'
        readonly addresses: readonly IpAddress[]
        /** How many DNS gave, where not all are kept. */
        readonly count: number
      }
    /** DNS is sure that there is none. */
    | { readonly kind: 'none'; readonly why: string }
    /** Some look-up failed, and the others brought nothing: temporary. */
    | { readonly kind: 'unknown'; readonly why: string }
  )

/** An alias is against RFC 2181 §10.3 here; more of them in a row than this are given up. */
const maxTargetAliases = 10

/** Of one family. As many as `maxAddresses` of a whole domain can be; an answer has room for 4,000. */
const maxOfFamily = 100

export async function lookupAddresses(
  host: HostName,
  families: 'both' | 'ipv4' | 'ipv6',
  resolver: Resolver,
): Promise<HostAddresses> {
  const name = nameFromHost(host)
  const types = families === 'both' ? (['AAAA', 'A'] as const) : ([families === 'ipv4' ? 'A' : 'AAAA'] as const)
  const answers = await Promise.all(types.map((type) => resolver.resolve(name, type)))
  const trust = leastTrust(answers.filter((answer) => answer.kind !== 'failed').map(trustOf))
  const aliases = answers.flatMap((answer) => (answer.kind === 'failed' ? [] : [answer.aliases])).at(0) ?? []
  const failures = answers.flatMap((answer, index) =>
    answer.kind === 'failed' ? `${types[index]}: ${answer.why}` : [],
  )
  const chain = aliases.map((alias) => nameText(alias)).join(' → ')
  const notes = aliases.length > 0 ? [`an alias of ${chain} (against RFC 2181 §10.3)`] : []

  if (aliases.length > maxTargetAliases)
    return { kind: 'unknown', why: `more than ${maxTargetAliases} aliases`, notes, ...trust }
  const found = answers.flatMap((answer) => (answer.kind === 'answer' ? [answer.records] : []))
  if (found.length > 0) {
    const kept = found.flatMap((records) => records.slice(0, maxOfFamily).map((record) => record.data.address))
    const addresses = interleave(kept)
    const left = found.reduce((sum, records) => sum + records.length, 0) - kept.length
    return { kind: 'found', addresses, count: addresses.length + left, notes: [...notes, ...failures], ...trust }
  }
  // A family that failed may be the one that has an address.
  if (failures.length > 0) return { kind: 'unknown', why: failures.join('; '), notes, ...trust }
  const isMissing = answers.some((answer) => answer.kind === 'no-such-name')
  return { kind: 'none', why: isMissing ? 'no such name' : noAddress[families], notes, ...trust }
}

const noAddress = { both: 'no address', ipv4: 'no IPv4 address', ipv6: 'no IPv6 address' }

export function trustOf(answer: Resolution): Trust {
  return answer.kind === 'failed' ? { ttlSeconds: 0, authenticated: false, stale: false } : answer
}

/** What holds for all of them together. */
export function leastTrust(all: readonly Trust[]): Trust {
  return {
    ttlSeconds: Math.min(...all.map((one) => one.ttlSeconds)),
    authenticated: all.every((one) => one.authenticated),
    stale: all.some((one) => one.stale),
  }
}
