/**
 * Exchangers that a domain is to move to and that DNS does not have: a wrong name is better told when a migration begins than after an hour of waiting
 * for its first TTL. Called by `waypost migrate`, which does not begin then unless it is allowed; the step that leads mail there asks anew and refuses.
 */

import type { HostName } from '../../dns/name.ts'
import { resolvedAddresses } from '../plan/ask-exchangers.ts'
import type { ExamineDeps, ExamineOptions, Unit } from '../plan/examine.ts'
import { type Migration, newHosts } from './migration.ts'
import { publishedAddresses } from './published-addresses.ts'

export interface MissingHost {
  readonly host: HostName
  readonly why: 'does not exist' | 'has no address'
}

/** @param unit  where the domain's records are kept. @returns none of those that the migration itself gives addresses */
export async function missingHosts(
  migration: Migration,
  unit: Pick<Unit, 'publisher' | 'zone'>,
  options: ExamineOptions,
  deps: ExamineDeps,
): Promise<MissingHost[]> {
  const own = new Set((migration.addresses?.sets ?? []).map(({ host }) => host))
  const others = newHosts(migration).filter((host) => !own.has(host))
  const published = await publishedAddresses(unit, others, options, deps)
  const asked = await Promise.all(others.filter((host) => !published.has(host)).map((host) => whyMissing(host, deps)))
  return asked.flatMap((missing) => missing ?? [])
}

async function whyMissing(host: HostName, { resolver }: ExamineDeps): Promise<MissingHost | undefined> {
  const found = await resolvedAddresses(host, resolver)
  // Where no answer came, nothing is known.
  if (found.kind !== 'none') return undefined
  return { host, why: found.why === 'no such name' ? 'does not exist' : 'has no address' }
}
