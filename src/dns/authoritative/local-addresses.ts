/**
 * The addresses that a listener stands for: itself, or all of this machine's where it is a wildcard. A UDP answer must come from the
 * address that was asked (RFC 2181 §4.1), and a socket on the wildcard cannot say which that was. Used by `udp-server.ts`.
 */
import type { NetworkInterfaceInfo } from 'node:os'
import { type IpAddress, isIpv6, parseIp } from '../../base/ip.ts'

export type Interfaces = NodeJS.Dict<NetworkInterfaceInfo[]>

/** @param interfaces  what `os.networkInterfaces()` says now */
export function localAddresses(listen: IpAddress, interfaces: Interfaces): readonly IpAddress[] {
  if (listen !== '0.0.0.0' && listen !== '::') return [listen]
  const found = new Set<IpAddress>()
  for (const infos of Object.values(interfaces)) {
    for (const { address } of infos ?? []) {
      const parsed = parseIp(address)
      // Link-local addresses mean something only together with an interface; no delegation can name them.
      if (parsed && isIpv6(parsed) === (listen === '::') && !/^fe[89ab]/.test(parsed)) found.add(parsed)
    }
  }
  return [...found]
}
