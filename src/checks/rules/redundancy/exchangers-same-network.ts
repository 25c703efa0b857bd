/**
 * All exchangers are in one network: one /24 and one /48, one autonomous system where a table is given, or all names in one zone of somebody
 * who is no mail provider. Page: docs/checks/exchangers-same-network.md
 */
import { networkKey } from '../../../base/ip.ts'
import { sameName } from '../../../dns/wire-name.ts'
import type { Facts } from '../../facts.ts'
import { domainSubject, plainName } from '../../read-facts.ts'
import type { Context, Rule } from '../../rule.ts'
import { listed, mxRecord } from '../../wording.ts'
import { providerOf } from '../records/provider-set.ts'
import { distinctAddresses, isOneMachine, isOneNetwork, unknownIn } from './same-place.ts'

export const exchangersSameNetwork: Rule = {
  id: 'exchangers-same-network',
  title: 'all exchangers in one network',
  rfc: ['RFC 2182 §3.1'],
  needs: [],

  examine(facts, context) {
    const subject = domainSubject(facts)
    const addresses = distinctAddresses(facts)
    // One machine is `single-exchanger`.
    if (addresses.length === 0 || isOneMachine(addresses)) return []
    const where = whereAll(facts, context)
    if (!where) return []
    const unknown = unknownIn(facts)
    if (unknown) {
      const why = `The addresses of ${plainName(unknown.name)} could not all be looked up, and there may be others.`
      return [{ kind: 'undecided', subject, reason: 'lookup-failed', why }]
    }
    return [
      {
        kind: 'fault',
        severity: 'notice',
        subject,
        seen: `All exchangers of ${facts.domain} are in ${where}.`,
        why: 'One fault of a line, a router or a data centre takes all of them away at once, and every sender waits.',
        remedy: {
          text: 'Put one exchanger into another network, with another operator.',
          records: [
            mxRecord(facts.domain, (facts.exchangers.at(-1)?.preferences[0] ?? 10) + 10, 'mx.<another network>'),
          ],
        },
        data: { where, addresses },
      },
    ]
  },
}

function whereAll(facts: Facts, { asNumber }: Context): string | undefined {
  const addresses = distinctAddresses(facts)
  if (isOneNetwork(addresses))
    return `the network${new Set(addresses.map(networkKey)).size > 1 ? 's' : ''} ${listed([...new Set(addresses.map(networkKey))])}`
  // A big provider is one system and one zone, and is spread over the world all the same.
  if (providerOf(facts)) return undefined
  const systems = new Set(asNumber ? addresses.map(asNumber) : [])
  const [system] = systems
  if (systems.size === 1 && system !== undefined) return `the autonomous system AS${system}`
  return zoneOfAll(facts)
}

/** One zone of somebody else; the domain's own has to work in any case. */
function zoneOfAll({ exchangers, zone: own }: Facts): string | undefined {
  const zone = exchangers[0]?.zone
  if (exchangers.length < 2 || zone === undefined || (own !== undefined && sameName(zone, own))) return undefined
  const isAll = exchangers.every((one) => one.zone !== undefined && sameName(one.zone, zone))
  return isAll ? `one zone, ${plainName(zone)}` : undefined
}
