/**
 * Which name servers to ask: as a person writes them (`192.0.2.1`, `192.0.2.1:5353`, `[2001:db8::1]:53`), and those of this machine.
 * Used by the resolver, its options and the command line.
 */
import { readFile } from 'node:fs/promises'
import { isMissing } from '../base/error-code.ts'
import { type IpAddress, isIpv6, parseIp } from '../base/ip.ts'
import { isLoopback } from '../base/loopback.ts'

export interface NameServer {
  readonly address: IpAddress
  /** 1–65535. */
  readonly port: number
}

/** @returns undefined where the text is no address, with or without a port */
export function parseNameServer(text: string): NameServer | undefined {
  const whole = parseIp(text)
  if (whole) return { address: whole, port: 53 }
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text)
  const address = parseIp(parts?.[1] ?? parts?.[2] ?? '')
  const port = Number(parts?.[3] ?? 53)
  return address && port >= 1 && port <= 65_535 ? { address, port } : undefined
}

/** `192.0.2.1:53`, `[2001:db8::1]:53`: for logs, and the key of what is remembered of a server. */
export function nameServerText(server: NameServer): string {
  return `${isIpv6(server.address) ? `[${server.address}]` : server.address}:${server.port}`
}

/** Answers of a server on this machine alone come over a path on which nobody can set the AD bit (RFC 4035 §4.9.3). */
export const isOnThisMachine = ({ address }: NameServer): boolean => isLoopback(address)

/** Enough to read on a machine that lists them all; each costs time only when those before it are silent. */
const maxServers = 8

/**
 * The `nameserver` lines of resolv.conf(5); with none, or without the file, this machine itself. Search domains and options are not read:
 * every name that we ask for is absolute.
 */
export async function systemServers(path = '/etc/resolv.conf'): Promise<readonly NameServer[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return ''
    throw error
  })
  const servers: NameServer[] = []
  for (const line of text.slice(0, 65_536).split('\n')) {
    const address = parseIp(/^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? '')
    if (address && servers.length < maxServers) servers.push({ address, port: 53 })
  }
  return servers.length > 0 ? servers : [{ address: '127.0.0.1' as IpAddress, port: 53 }]
}
