/** Whether everything that takes the mail is one machine, or in one network. Pure; the rules of this folder leave to each other what one tells. */
import { type IpAddress, isIpv6, networkKey } from '../../../base/ip.ts'
import type { Facts } from '../../facts.ts'
import { everyAddress } from '../../read-facts.ts'

/** Each address once. */
export const distinctAddresses = (facts: Facts): readonly IpAddress[] => [
  ...new Set(everyAddress(facts).map(({ at }) => at.address)),
]

/** One address a family at most. */
export function isOneMachine(addresses: readonly IpAddress[]): boolean {
  const v6 = addresses.filter(isIpv6).length
  return addresses.length > 0 && v6 <= 1 && addresses.length - v6 <= 1
}

/** One /24 and one /48 at most, with more than one machine in them. */
export function isOneNetwork(addresses: readonly IpAddress[]): boolean {
  return addresses.length > 0 && !isOneMachine(addresses) && isOnePlace(addresses)
}

export function isOnePlace(addresses: readonly IpAddress[]): boolean {
  const networks = new Set(addresses.map(networkKey))
  return (
    [...networks].filter((network) => network.includes(':')).length <= 1 &&
    [...networks].filter((network) => !network.includes(':')).length <= 1
  )
}

/** The exchanger of which not all addresses are known; there may be more. */
export const unknownIn = ({ exchangers }: Facts) =>
  exchangers.find(({ a, aaaa }) =>
    [a, aaaa].some(
      (view) => view.kind === 'failed' || (view.kind === 'not-examined' && view.reason === 'budget-spent'),
    ),
  )
