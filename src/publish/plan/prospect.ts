/**
 * What would become of the mail if a plan were carried out: whether its exchangers resolve and answer SMTP for the domain, and what an MTA-STS
 * policy says of them. `ask-exchangers.ts` and `find-policy.ts` ask; `consequences.ts` judges.
 */
import { mapAtOnce } from '../../base/map-at-once.ts'
import type { HostName } from '../../dns/name.ts'
import { typeCodes } from '../../dns/types.ts'
import { hostFromName, nameFromHost, rootWireName, sameName } from '../../dns/wire-name.ts'
import { sameContent } from '../sets/record-set.ts'
import {
  type AddressProspect,
  type AskDeps,
  type AskOptions,
  addressesOf,
  createExchangerAsker,
  type ExchangerProspect,
  exchangersAtOnce,
} from './ask-exchangers.ts'
import { type PolicyProspect, policyOf } from './find-policy.ts'
import type { PlannedSet, ZonePlan } from './plan.ts'

/** Of one domain whose exchangers would change. */
export interface Prospect {
  readonly domain: HostName
  readonly exchangers: readonly ExchangerProspect[]
  readonly policy: PolicyProspect
}

/** Of the domains of this plan whose exchangers, or their addresses, would change. */
export async function lookAhead(plan: ZonePlan, options: AskOptions, deps: AskDeps): Promise<Prospect[]> {
  const wanted = plan.sets.filter(
    (set) => set.code === typeCodes.MX && set.domains.length > 0 && changesTheWay(set, plan, sameContent),
  )
  const asker = createExchangerAsker(options, deps)
  const prospects: Prospect[] = []
  for (const set of wanted) {
    const [domain] = set.domains
    const owner = hostFromName(set.name)
    if (domain === undefined || owner === undefined) continue
    const before = hostsOf(set.before)
    const hosts = hostsOf(set.after)
    const exchangers = await mapAtOnce(hosts, exchangersAtOnce, async (host): Promise<ExchangerProspect> => {
      const isNew = !before.includes(host)
      const addresses = plannedAddresses(host, plan) ?? (await addressesOf(host, options, deps))
      return { host, isNew, addresses, smtp: await asker.ask(owner, host, addresses) }
    })
    const policy = exchangers.some(({ isNew }) => isNew)
      ? await policyOf(owner, options, deps)
      : ({ kind: 'none' } as const)
    prospects.push({ domain: owner, exchangers: exchangers.map(asker.judged), policy })
  }
  return prospects
}

/** Whether the set changes, or an address that it leads to does. @param isSame  what counts as no change */
export function changesTheWay(
  set: PlannedSet,
  { sets }: ZonePlan,
  isSame: (before: PlannedSet['before'], after: PlannedSet['after']) => boolean,
): boolean {
  if (!isSame(set.before, set.after)) return true
  const hosts = hostsOf(set.after).map(nameFromHost)
  return sets.some(
    (other) =>
      (other.code === typeCodes.A || other.code === typeCodes.AAAA) &&
      !isSame(other.before, other.after) &&
      hosts.some((host) => sameName(host, other.name)),
  )
}

/** The exchangers of an MX set, without the "." of a null MX. */
export function hostsOf(set: PlannedSet['after']): HostName[] {
  return (set?.data ?? []).flatMap((data) => {
    const host = data.type === 'MX' && data.exchange !== rootWireName ? hostFromName(data.exchange) : undefined
    return host === undefined ? [] : [host]
  })
}

/** What the plan itself says of the addresses of a host. Undefined: nothing. */
function plannedAddresses(host: HostName, plan: ZonePlan): AddressProspect | undefined {
  const name = nameFromHost(host)
  const sets = plan.sets.filter(
    (set) => (set.code === typeCodes.A || set.code === typeCodes.AAAA) && sameName(set.name, name),
  )
  if (sets.length < 2) return undefined
  const addresses = sets.flatMap((set) =>
    (set.after?.data ?? []).flatMap((data) => ('address' in data ? [data.address] : [])),
  )
  return addresses.length > 0 ? { kind: 'addresses', addresses, alias: undefined } : { kind: 'none', why: 'no address' }
}
