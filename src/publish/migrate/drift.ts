/** What another hand changed of a domain that is being migrated, so that the next step would be written over it. Pure; asked by `step-migration.ts`. */
import { printable } from '../../base/printable.ts'
import { typeCodes } from '../../dns/types.ts'
import { selectSpf } from '../../records/spf.ts'
import { txtText } from '../../records/txt.ts'
import type { HostAddresses } from '../declare/declaration.ts'
import type { PlannedSet, ZonePlan } from '../plan/plan.ts'
import { mxSetOf, sameMxSet } from '../sets/mx-set.ts'
import type { Migration } from './migration.ts'
import { strangeAddresses } from './migration-addresses.ts'
import { expectedSets } from './stage-sets.ts'

/**
 * @param plan  of the next step
 * @param hosts  whose addresses it writes
 */
export function driftOf(
  migration: Migration,
  plan: ZonePlan,
  hosts: readonly HostAddresses[],
): { why: string; remedy: string } | undefined {
  const { domain } = migration
  const strange = strangeAddresses(hosts, migration, plan.sets)
  if (strange)
    return {
      why: `somebody else changed the addresses of ${strange.host}: they are ${strange.now.join(', ') || 'none'}`,
      remedy: `Put back what was there, or end this migration as it stands with "waypost migrate ${domain} --forget".`,
    }
  const before = plan.sets.find(({ code }) => code === typeCodes.MX)?.before
  const live = before && mxSetOf(before)
  const spf = spfDrift(migration, plan.sets)
  if (spf !== undefined) return spf
  if (live && expectedSets(migration).some((set) => sameMxSet(set, live))) return undefined
  const shown = live?.exchangers.map(({ preference, host }) => `${preference} ${host}`).join(', ') ?? 'none'
  return {
    why: `somebody else changed the MX records of ${domain}: they are ${printable(shown, 300)}${live ? ` (TTL ${live.ttlSeconds})` : ''}`,
    remedy: `Put back what was there, or end this migration as it stands with "waypost migrate ${domain} --forget".`,
  }
}

/** Only of a stage that writes it: whatever else becomes of it meanwhile is its owner's. */
function spfDrift(
  { domain, spf }: Migration,
  sets: readonly PlannedSet[],
): { why: string; remedy: string } | undefined {
  const set = sets.find(({ code }) => code === typeCodes.TXT)
  if (spf === undefined || set === undefined) return undefined
  const texts = (set.before?.data ?? []).flatMap((data) => (data.type === 'TXT' ? [txtText(data.strings)] : []))
  const live = selectSpf(texts)
  if (live.kind !== 'one' || live.text === spf.oldText || live.text === spf.jointText) return undefined
  return {
    why: `somebody else changed the SPF record of ${domain}: it is ${printable(live.text, 300)}`,
    remedy: `Put back "${spf.oldText}", or end this migration as it stands with "waypost migrate ${domain} --forget".`,
  }
}
