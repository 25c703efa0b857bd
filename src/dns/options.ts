/**
 * What waypost.yaml says about asking the DNS. `config` puts it into the schema.
 */
import { type IpAddress, parseIp } from '../base/ip.ts'
import { list, parsed, type Read, section } from '../base/option.ts'

/** Reads `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53` or `[2001:db8::53]:5353`; the port is 53 where none is said. */
export function readNameServer(text: string): Read<{ readonly address: IpAddress; readonly port: number }> {
  const bare = parseIp(text)
  if (bare !== undefined) return { kind: 'value', value: { address: bare, port: 53 } }
  const parts = /^(?:\[([^[\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text)
  const address = parseIp(parts?.[1] ?? parts?.[2] ?? '')
  const port = Number(parts?.[3])
  if (address === undefined) return { kind: 'no', why: '' }
  if (port < 1 || port > 65535) return { kind: 'no', why: 'has a port that is not 1 to 65535' }
  return { kind: 'value', value: { address, port } }
}

export const resolverOptions = section('How Waypost asks the DNS.', {
  servers: list(
    'Name servers to ask. Default: those of this machine (/etc/resolv.conf).',
    'a list of addresses, such as ["192.0.2.53"]',
    parsed(
      'A name server.',
      'an IP address, with or without a port: "192.0.2.53", "[2001:db8::53]:53"',
      readNameServer,
    ),
    8,
  ),
}).prefault({})
