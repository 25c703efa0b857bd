/**
 * What RPKI says of the routes to the exchangers and name servers, where a validator's table is given. Page: docs/checks/route-unsigned.md
 */
import { type IpAddress, networkKey } from '../../../base/ip.ts'
import type { Facts } from '../../facts.ts'
import type { Verdict } from '../../finding.ts'
import { domainSubject, everyAddress, plainName } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { listed } from '../../wording.ts'

export const routeUnsigned: Rule = {
  id: 'route-unsigned',
  title: 'route without a valid signature',
  rfc: ['RFC 6811 §2'],
  needs: ['name-servers'],

  examine(facts, { routeOrigin }) {
    if (!routeOrigin) return []
    const places = placesOf(facts)
    const judged = [...places.keys()].map((address) => ({ address, origin: routeOrigin(address) }))
    const of = (origin: 'invalid' | 'not-found') =>
      judged.filter((one) => one.origin === origin).map(({ address }) => address)
    return [
      ...verdict(of('invalid'), 'invalid', places, facts),
      ...verdict(of('not-found'), 'not-found', places, facts),
    ]
  },
}

function verdict(
  addresses: readonly IpAddress[],
  origin: 'invalid' | 'not-found',
  places: ReadonlyMap<IpAddress, string>,
  facts: Facts,
): Verdict[] {
  if (addresses.length === 0) return []
  const told = listed(addresses.map((address) => `${address} (${places.get(address) ?? ''})`))
  const networks = [...new Set(addresses.map(networkKey))]
  return [
    {
      kind: 'fault',
      severity: origin === 'invalid' ? 'warning' : 'notice',
      subject: domainSubject(facts),
      seen:
        origin === 'invalid'
          ? `The routes to ${told} are announced by a network that their owner has not authorised (RPKI invalid).`
          : `There is no route origin authorisation (ROA) for ${told}.`,
      why:
        origin === 'invalid'
          ? 'Networks that check RPKI drop such routes: part of the senders cannot reach these machines.'
          : 'Anybody may announce the network as his own, and take the mail in while that lasts.',
      remedy: {
        text:
          origin === 'invalid'
            ? `Have the ROA corrected by who owns the network (origin AS and maximum length), for ${listed(networks)}.`
            : `Ask who owns the network for a ROA, for ${listed(networks)}.`,
      },
      data: { origin, addresses: [...addresses] },
    },
  ]
}

/** Whose each address is, in words. */
function placesOf(facts: Facts): ReadonlyMap<IpAddress, string> {
  const places = new Map<IpAddress, string>()
  for (const { exchanger, at } of everyAddress(facts)) places.set(at.address, plainName(exchanger.name))
  for (const { servers } of facts.zones) for (const { name, address } of servers) places.set(address, plainName(name))
  return places
}
