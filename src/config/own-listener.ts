/**
 * Whether a backend is this very gateway: mail for it would come in again, for ever (RFC 5321 §6.3). Called for each backend that is read. Only
 * what the file itself says is looked at; what DNS or NAT lead back to us is seen when it happens, and answered with 451 4.3.5.
 */
import { type IpAddress, inNetwork, isIpv6, parseIp, parseNetwork } from '../base/ip.ts'
import type { BackendAddress } from '../routing/backend.ts'

export interface OwnPlaces {
  readonly listen: readonly { readonly address: IpAddress; readonly port: number }[]
  readonly publicAddresses: readonly IpAddress[]
}

/** Where the world brings mail for our public addresses, whatever NAT makes of it. */
const mailPort = 25

/** @returns why it is ourselves, going on from the URL; undefined where it is not, or not known to be */
export function whyOurselves(address: BackendAddress, own: OwnPlaces): string | undefined {
  if (!('host' in address)) return undefined
  const { port } = address
  const hosts = addressesOf(address.host)
  const listener = own.listen.find((each) => each.port === port && hosts.some((host) => covers(each.address, host)))
  if (listener) {
    const { address: at } = listener
    return `is where this gateway listens itself (listen.smtp: ${isIpv6(at) ? `[${at}]` : at}:${port}): its mail would go round in circles`
  }
  const isPublic = port === mailPort && hosts.some((host) => own.publicAddresses.includes(host))
  return isPublic ? 'is this gateway itself, by publicAddresses: its mail would go round in circles' : undefined
}

/** RFC 6761 §6.3: what this name means is known without asking. */
const localhost = ['127.0.0.1', '::1'] as readonly string[] as readonly IpAddress[]

function addressesOf(host: string): readonly IpAddress[] {
  const address = parseIp(host)
  if (address) return [address]
  return host === 'localhost' || host.endsWith('.localhost') ? localhost : []
}

function covers(listen: IpAddress, host: IpAddress): boolean {
  if (listen === host) return true
  // On every address means on those of loopback too; which others the machine has, the file does not know.
  if (listen === '0.0.0.0') return loopback !== undefined && !isIpv6(host) && inNetwork(host, loopback)
  return listen === '::' && host === '::1'
}

const loopback = parseNetwork('127.0.0.0/8')
