/**
 * Declarations → the sets of records that are wanted in one zone, each with what of it is ours. Pure; called by `examine.ts`.
 *
 * `exchangers` own the whole MX set of the name; `addresses` own A and AAAA of hosts inside the zone; of TXT only the one string of its kind
 * is owned, because SPF shares its set with the proofs of ownership of others. What is not owned is never touched.
 */
import { isIpv6 } from '../../base/ip.ts'
import { type HostName, rootName } from '../../dns/name.ts'
import type { Rdata } from '../../dns/rdata.ts'
import { typeCodes } from '../../dns/types.ts'
import { isAtOrBelow, nameFromHost, nameText, rootWireName, type WireName } from '../../dns/wire-name.ts'
import { dataKey, type SetName, sameRecords, setKey, setText } from '../sets/record-set.ts'
import { type TextKind, textData, textKinds } from '../sets/text-kind.ts'
import { type Declaration, type DeclaredExchanger, declaredExchangers } from './declaration.ts'

/** What one declaration wants of one set. */
export interface WantedSet extends SetName {
  readonly ttlSeconds: number
  /** What is to be there of what is owned; nothing: what is owned goes. */
  readonly data: readonly Rdata[]
  readonly owned: Owned
  /** Whose declaration this is. */
  readonly domain: HostName
  /** Shown in the plan: `exchangers of example.com`. */
  readonly reason: string
}

/** Which records of a set are ours to change. */
export type Owned =
  | { readonly kind: 'set' }
  | { readonly kind: 'text'; readonly text: TextKind }
  /** The one with this data. */
  | { readonly kind: 'record'; readonly data: Rdata }

export interface Wanted {
  readonly sets: readonly WantedSet[]
  /** Declarations that contradict each other, or do not belong into this zone: nothing is planned with one. Printable. */
  readonly problems: readonly string[]
  /** What was declared and is not published here, with the reason. Printable. */
  readonly notes: readonly string[]
}

/** @param declarations  of domains whose names lie in `zone` */
export function wantedIn(zone: WireName, declarations: readonly Declaration[]): Wanted {
  const sets: WantedSet[] = []
  const problems: string[] = []
  const notes = new Set<string>()
  for (const declaration of declarations) {
    const apex = nameFromHost(declaration.domain)
    if (!isAtOrBelow(apex, zone)) {
      problems.push(`${declaration.domain} does not lie in the zone ${nameText(zone)}`)
      continue
    }
    sets.push(...exchangersOf(declaration, apex))
    sets.push(...addressesOf(declaration, zone, (note) => void notes.add(note)))
    sets.push(...hostsOf(declaration))
    sets.push(...textsOf(declaration, apex, problems))
    sets.push(...absencesOf(declaration, zone, problems))
  }
  return { sets: joined(sets, problems), problems, notes: [...notes] }
}

function exchangersOf({ domain, exchangers, ttlSeconds }: Declaration, name: WireName): WantedSet[] {
  if (exchangers === undefined) return []
  const reason = `exchangers of ${domain}`
  const data = exchangers === 'none' ? [nullMx] : exchangers.map(mx)
  return [{ name, code: typeCodes.MX, ttlSeconds, data, owned: { kind: 'set' }, domain, reason }]
}

/** RFC 7505 §3 */
export const nullMx: Rdata = { type: 'MX', preference: 0, exchange: rootWireName }

const mx = ({ preference, host }: DeclaredExchanger): Rdata => ({
  type: 'MX',
  preference,
  exchange: host === rootName ? rootWireName : nameFromHost(host),
})

function addressesOf(declaration: Declaration, zone: WireName, note: (text: string) => void): WantedSet[] {
  const { domain, ttlSeconds } = declaration
  return declaredExchangers(declaration).flatMap(({ host, addresses }): WantedSet[] => {
    if (addresses === undefined) return []
    const name = nameFromHost(host)
    if (!isAtOrBelow(name, zone)) {
      note(`${host} lies outside of the zone ${nameText(zone)}, so its addresses are not published there`)
      return []
    }
    const shared = { name, ttlSeconds, owned: { kind: 'set' }, domain, reason: `addresses of ${host}` } as const
    const four = addresses.filter((address) => !isIpv6(address))
    const six = addresses.filter(isIpv6)
    return [
      { ...shared, code: typeCodes.A, data: four.map((address) => ({ type: 'A', address })) },
      { ...shared, code: typeCodes.AAAA, data: six.map((address) => ({ type: 'AAAA', address })) },
    ]
  })
}

function hostsOf({ domain, hosts = [] }: Declaration): WantedSet[] {
  return hosts.flatMap(({ host, type, means, addresses, ttlSeconds }): WantedSet[] => {
    const set = { name: nameFromHost(host), code: typeCodes[type], ttlSeconds, domain, reason: `addresses of ${host}` }
    const data = addresses.map((address): Rdata => ({ type, address }))
    if (means === 'whole') return [{ ...set, data, owned: { kind: 'set' } }]
    return data.map((one) => ({ ...set, data: [], owned: { kind: 'record', data: one } }))
  })
}

function textsOf({ domain, texts, ttlSeconds }: Declaration, apex: WireName, problems: string[]): WantedSet[] {
  return texts.flatMap(({ kind, text }): WantedSet[] => {
    const { prefix, title } = textKinds[kind]
    const name = below(prefix, apex)
    if (name === undefined) {
      problems.push(`${prefix}.${domain} is longer than a name may be`)
      return []
    }
    const owned: Owned = { kind: 'text', text: kind }
    const reason = `${title} of ${domain}`
    return [{ name, code: typeCodes.TXT, ttlSeconds, data: [textData(text)], owned, domain, reason }]
  })
}

function below(prefix: string, apex: WireName): WireName | undefined {
  const labels = prefix === '' ? [] : prefix.split('.')
  const wire = labels.map((label) => String.fromCharCode(label.length) + label).join('') + apex
  return wire.length > 255 ? undefined : (wire as WireName)
}

function absencesOf({ domain, absent, ttlSeconds }: Declaration, zone: WireName, problems: string[]): WantedSet[] {
  return absent.flatMap(({ name, code, data }): WantedSet[] => {
    if (!isAtOrBelow(name, zone)) {
      problems.push(`absent: ${setText({ name, code })} lies outside of the zone ${nameText(zone)}`)
      return []
    }
    const owned: Owned = data ? { kind: 'record', data } : { kind: 'set' }
    return [{ name, code, ttlSeconds, data: [], owned, domain, reason: `absent: of ${domain}` }]
  })
}

/** Equal wishes for one set are one; two that own the same records and differ are a mistake. */
function joined(sets: readonly WantedSet[], problems: string[]): WantedSet[] {
  const byOwned = new Map<string, WantedSet>()
  for (const set of sets) {
    const key = `${setKey(set)} ${ownedKey(set.owned)}`
    const before = byOwned.get(key)
    if (before === undefined) {
      byOwned.set(key, set)
      continue
    }
    if (!sameRecords(before.data, set.data)) {
      problems.push(`${setText(set)}: ${before.reason} and ${set.reason} say different things`)
      continue
    }
    // The shorter one does both justice: nothing is kept longer than either wants.
    if (set.ttlSeconds < before.ttlSeconds) byOwned.set(key, set)
  }
  const wanted = [...byOwned.values()]
  for (const set of wanted) {
    if (set.owned.kind !== 'record') continue
    const { data } = set.owned
    const claims = wanted.find(
      (other) => setKey(other) === setKey(set) && other.data.some((one) => dataKey(one) === dataKey(data)),
    )
    if (claims) problems.push(`${setText(set)}: ${set.reason} removes what ${claims.reason} wants there`)
  }
  return wanted
}

function ownedKey(owned: Owned): string {
  if (owned.kind === 'set') return 'set'
  return owned.kind === 'text' ? owned.text : dataKey(owned.data)
}
