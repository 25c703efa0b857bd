/** The reverse of an address (RFC 1035 §3.5, RFC 3596 §2.5): what it is called, and whether that name leads back. */
import { type IpAddress, ipBytes, isIpv6 } from '../../base/ip.ts'
import type { HostName } from '../../dns/name.ts'
import { nameFromHost, type WireName } from '../../dns/wire-name.ts'
import type { BlocklistFacts, ReverseFacts } from '../facts.ts'
import type { Inquiry } from './inquiry.ts'

/** Names of one address that are looked up: RFC 1912 §2.1 wants one, and some have hundreds. */
const mostNames = 3

export async function collectReverse(address: IpAddress, inquiry: Inquiry): Promise<ReverseFacts> {
  const zone = isIpv6(address) ? 'ip6.arpa' : 'in-addr.arpa'
  const ptr = await inquiry.view(nameFromHost(`${reversed(address)}.${zone}` as HostName), 'PTR')
  const names = ptr.kind === 'answer' ? ptr.records.slice(0, mostNames).map(({ data }) => data.target) : []
  const type = isIpv6(address) ? 'AAAA' : 'A'
  const forward = await Promise.all(names.map(async (name) => ({ name, view: await inquiry.view(name, type) })))
  return { ptr, forward: forward as ReverseFacts['forward'] }
}

/** RFC 5782 §2.1, §2.4, and §5 for the two that show whether the list works. */
export function collectBlocklists(address: IpAddress, inquiry: Inquiry): Promise<readonly BlocklistFacts[]> {
  const under = (front: string, zone: HostName): WireName => nameFromHost(`${front}.${zone}` as HostName)
  return Promise.all(
    inquiry.options.blocklists.map(async (zone): Promise<BlocklistFacts> => {
      const [mustBeListed, mustNotBeListed, listed] = await Promise.all([
        inquiry.view(under('2.0.0.127', zone), 'A'),
        inquiry.view(under('1.0.0.127', zone), 'A'),
        inquiry.view(under(reversed(address), zone), 'A'),
      ])
      return { zone, mustBeListed, mustNotBeListed, address: listed }
    }),
  )
}

/** `1.2.0.192`, or the 32 nibbles of an IPv6 address, the last first. */
export function reversed(address: IpAddress): string {
  const octets = [...ipBytes(address)].reverse()
  if (!isIpv6(address)) return octets.join('.')
  return octets.map((octet) => `${(octet & 15).toString(16)}.${(octet >> 4).toString(16)}`).join('.')
}
