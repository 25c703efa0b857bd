/**
 * Addresses of the exchangers that a domain moves to, where they lie in its zone and waypost.yaml declares them: published as a step of the migration
 * before anybody is sent there, and taken back where it turns round. Pure; called by `begin-migration.ts` and `step-migration.ts`.
 */

import { type IpAddress, isIpv6 } from '../../base/ip.ts'
import type { HostName } from '../../dns/name.ts'
import { typeCodes } from '../../dns/types.ts'
import { isAtOrBelow, nameFromHost, type WireName } from '../../dns/wire-name.ts'
import type { DeclaredExchanger, HostAddresses } from '../declare/declaration.ts'
import type { PlannedSet } from '../plan/plan.ts'
import type { MxSet } from '../sets/mx-set.ts'
import { byKey, type RecordSet, type SetContent, type SetName, setKey } from '../sets/record-set.ts'
import type { AddressSet, Migration, MigrationAddresses } from './migration.ts'

const types = ['A', 'AAAA'] as const

/** The sets that have to be read for `addressesToPublish`. */
export function addressQuestions(next: MxSet, declared: readonly DeclaredExchanger[], zone: WireName): SetName[] {
  return ownHosts(next, declared, zone).flatMap(({ host }) => types.map((type) => nameOf({ host, type })))
}

/**
 * @param old  what is live: addresses of a host that takes the domain's mail already are not changed under way
 * @param live  the sets that `addressQuestions` names, as far as they exist
 * @param negativeSeconds  how long a cache may hold that there is no such name
 * @returns undefined where all is there already
 */
export function addressesToPublish(
  words: { readonly old: MxSet; readonly next: MxSet; readonly declared: readonly DeclaredExchanger[] },
  zone: WireName,
  live: readonly RecordSet[],
  negativeSeconds: number,
): MigrationAddresses | undefined {
  const { old, next, declared } = words
  const known = new Set(old.exchangers.map(({ host }) => host))
  const found = byKey(live)
  const sets = ownHosts(next, declared, zone)
    .filter(({ host }) => !known.has(host))
    .flatMap(({ host, addresses }) => types.map((type) => addressSet(host, type, addresses, found)))
    .filter(({ before, addresses }) => !sameAddresses(before?.addresses ?? [], addresses))
  if (sets.length === 0) return undefined
  return { sets, cachedSeconds: Math.max(...sets.map(({ before }) => before?.ttlSeconds ?? negativeSeconds)) }
}

function ownHosts({ exchangers }: MxSet, declared: readonly DeclaredExchanger[], zone: WireName) {
  const wanted = new Set(exchangers.map(({ host }) => host))
  return declared.flatMap(({ host, addresses }) =>
    addresses !== undefined && wanted.has(host) && isAtOrBelow(nameFromHost(host), zone) ? [{ host, addresses }] : [],
  )
}

function addressSet(
  host: HostName,
  type: AddressSet['type'],
  declared: readonly IpAddress[],
  live: ReadonlyMap<string, RecordSet>,
): AddressSet {
  const before = live.get(setKey(nameOf({ host, type })))
  return {
    ...{ host, type, addresses: declared.filter((address) => isIpv6(address) === (type === 'AAAA')) },
    before: before && { ttlSeconds: before.ttlSeconds, addresses: addressesIn(before) },
  }
}

/** What the stage that publishes them wants. */
export function publishing({ addresses, next }: Migration): HostAddresses[] {
  const { ttlSeconds } = next
  return (addresses?.sets ?? []).map(({ host, type, addresses: wanted }) => ({
    ...{ host, type, means: 'whole', addresses: wanted, ttlSeconds },
  }))
}

/**
 * What the stage that takes them back wants: what was there before, or none of those that were published, with whatever others have added.
 * @param needed  hosts that other domains lead to, or will: theirs stay
 */
export function withdrawing({ addresses, next }: Migration, needed: ReadonlySet<HostName>): HostAddresses[] {
  return (addresses?.sets ?? [])
    .filter(({ host }) => !needed.has(host))
    .map(({ host, type, before, addresses: published }) =>
      before
        ? { host, type, means: 'whole', ...before }
        : { host, type, means: 'without', addresses: published, ttlSeconds: next.ttlSeconds },
    )
}

/** The first set that is neither as it was when the migration began nor as it publishes it, where a stage would write all of it. */
export function strangeAddresses(
  wanted: readonly HostAddresses[],
  { addresses }: Migration,
  planned: readonly PlannedSet[],
): { readonly host: HostName; readonly now: readonly IpAddress[] } | undefined {
  const live = byKey(planned)
  for (const { host, type } of wanted.filter(({ means }) => means === 'whole')) {
    const set = addresses?.sets.find((each) => each.host === host && each.type === type)
    const now = addressesIn(live.get(setKey(nameOf({ host, type })))?.before)
    const expected = [set?.before?.addresses ?? [], set?.addresses ?? []]
    if (!expected.some((each) => sameAddresses(each, now))) return { host, now }
  }
  return undefined
}

const nameOf = ({ host, type }: Pick<AddressSet, 'host' | 'type'>): SetName => ({
  ...{ name: nameFromHost(host), code: typeCodes[type] },
})

const addressesIn = (content: SetContent | undefined): IpAddress[] =>
  (content?.data ?? []).flatMap((data) => ('address' in data ? [data.address] : []))

function sameAddresses(one: readonly IpAddress[], other: readonly IpAddress[]): boolean {
  const set = new Set(one)
  return set.size === new Set(other).size && other.every((address) => set.has(address))
}
