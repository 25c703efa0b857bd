/**
 * What takes the whole mail away when it fails, beyond what the other rules of this folder tell: machines that do two things, networks,
 * zones of others, providers. `single-points.ts` fails each in turn. Page: docs/checks/single-point-of-failure.md
 */
import type { Facts } from '../../facts.ts'
import type { Fault } from '../../finding.ts'
import { domainSubject, isNullMx, plainName } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { pointName, pointText, type SinglePoint, singlePoints } from '../../single-points.ts'
import { listed } from '../../wording.ts'
import { missingZone } from '../name-servers/zone-rule.ts'
import { distinctAddresses, isOneMachine, isOneNetwork, isOnePlace, unknownIn } from './same-place.ts'

export const singlePointOfFailure: Rule = {
  id: 'single-point-of-failure',
  title: 'single point of failure',
  rfc: [],
  needs: ['name-servers', 'smtp'],

  examine(facts, context) {
    const subject = domainSubject(facts)
    if (facts.exchangers.length === 0 || isNullMx(facts)) return []
    // What is dead today has rules of its own, which tell it once.
    const points = singlePoints(facts, context, 'counts-as-working').filter(
      (point) => point.delivered !== 'all' && !isToldElsewhere(point, facts),
    )
    const unknown = unknownIn(facts)
    if (points.length > 0 && unknown) {
      const why = `The addresses of ${plainName(unknown.name)} could not all be looked up, and they may be what is left.`
      return [{ kind: 'undecided', subject, reason: 'lookup-failed', why }]
    }
    // Zones and their servers are half of what can fail.
    return [...merged(points).map((group) => fault(group, facts)), ...missingZone(facts)]
  },
}

/** The domain's own zone it needs by its nature; one machine, one network and one name server have rules of their own. */
function isToldElsewhere(point: SinglePoint, facts: Facts): boolean {
  if (point.isOwnZone) return true
  const addresses = distinctAddresses(facts)
  const found = facts.exchangers.filter((one) => one.addresses.length > 0)
  const isAllExchangers = point.exchangers.length === found.length
  if (isOneMachine(addresses) && isAllExchangers && point.kind !== 'provider') return true
  if (point.kind === 'network' && isAllExchangers && (isOneNetwork(addresses) || point.name.startsWith('AS')))
    return true
  return facts.zones.some(({ servers }) => {
    const own = servers.map(({ address }) => address)
    return (
      own.length > 0 &&
      (isOneMachine(own) || isOnePlace(own)) &&
      servers.every(({ name }) => point.nameServers.includes(plainName(name)))
    )
  })
}

/** A provider and its zone are one thing, where they take the same away. */
function merged(points: readonly SinglePoint[]): readonly (readonly SinglePoint[])[] {
  const groups = new Map<string, SinglePoint[]>()
  for (const point of points) {
    const isWhole = point.kind === 'zone' || point.kind === 'provider'
    const key = isWhole ? `${point.delivered} ${point.exchangers.join(' ')}` : `${point.kind} ${point.name}`
    groups.set(key, [...(groups.get(key) ?? []), point])
  }
  return [...groups.values()]
}

function fault(group: readonly SinglePoint[], facts: Facts): Fault {
  const [point] = group
  if (!point) throw new Error('a group has a point')
  const isMachine = point.kind === 'host' || point.kind === 'network'
  return {
    kind: 'fault',
    severity: isMachine && point.delivered === 'none' ? 'warning' : 'notice',
    subject: domainSubject(facts),
    seen: pointText(point, group.map(pointName).join(' or ')),
    why: isMachine
      ? 'Senders keep the mail for some days; what lasts longer comes back.'
      : 'Nothing is wrong today: senders keep the mail for some days, and a provider is mostly back before that.',
    remedy: {
      text: isMachine
        ? `Put an exchanger or a name server elsewhere, so that neither ${listed(point.exchangers) || 'all exchangers'} nor the name servers are all there.`
        : 'Nothing, where you trust the provider. Otherwise add an exchanger elsewhere that keeps the mail until the provider is back, and knows the same recipients.',
    },
    data: {
      points: group.map(({ kind, name }) => ({ kind, name })),
      waiting: point.waiting,
      delivered: point.delivered,
      exchangers: [...point.exchangers],
      nameServers: [...point.nameServers],
    },
  }
}
