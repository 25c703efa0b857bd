/**
 * What waypost.yaml says about taking mail in: listeners, TLS, limits (SEMANTICS.md §12, §13). `config` puts it into the schema.
 */
import { isIP } from 'node:net'
import { type IpAddress, parseIp } from '../base/ip.ts'
import { count, oneOrMore, parsed, type Read, section, size, text } from '../base/option.ts'

export interface ListenAddress {
  readonly address: IpAddress
  readonly port: number
}

/** Reads `0.0.0.0:25` or `[::]:25`. */
export function readListenAddress(input: string): Read<ListenAddress> {
  const parts = /^(?:\[([^[\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(input)
  if (!parts) {
    if (isIP(input) !== 0) return { kind: 'no', why: 'has no port' }
    return { kind: 'no', why: isIP(input.replace(/:\d+$/, '')) === 6 ? 'wants "[" and "]" around the address' : '' }
  }
  const address = parseIp(parts[1] ?? parts[2] ?? '')
  const port = Number(parts[3])
  if (address === undefined) return { kind: 'no', why: 'has no IP address before the port' }
  if (port > 65535) return { kind: 'no', why: 'has a port above 65535' }
  return { kind: 'value', value: { address, port } }
}

const listenAddress = parsed(
  'Where SMTP listens.',
  'an IP address and a port, such as "0.0.0.0:25" or "[::]:25"',
  readListenAddress,
)

export const smtpOptions = {
  listen: section('Where Waypost listens.', {
    smtp: oneOrMore(
      'Addresses for SMTP. `[::]` takes IPv6 only, so write `0.0.0.0` beside it. Port 0 lets the system choose.',
      'an address such as "127.0.0.1:2525", or a list of them',
      listenAddress,
      100,
    ).prefault('127.0.0.1:2525'),
  }).prefault({}),

  tls: section('The certificate for STARTTLS. Without it STARTTLS is not offered.', {
    certificate: text('PEM file: the certificate, then those that lead to its root.', 'the path of a PEM file'),
    key: text('PEM file: the private key.', 'the path of a PEM file'),
  }).optional(),

  limits: section('Ceilings over all of Waypost. What would go beyond one is answered 4yz or 5yz, as each RFC says.', {
    messageBytes: size('The largest message; told to senders as SIZE (RFC 1870).', {
      default: '50MiB',
      least: '64KiB',
      most: '2GiB',
    }),
    recipients: count('Recipients of one message (RFC 5321 §4.5.3.1.8 asks for at least 100).', {
      default: 1000,
      least: 100,
      most: 100_000,
    }),
    connections: count('Connections at once.', { default: 10_000, least: 1, most: 1_000_000 }),
    connectionsPerAddress: count('Connections at once from one IPv4 address or one IPv6 /64.', {
      default: 50,
      least: 1,
      most: 1_000_000,
    }),
    connectionsPerNetwork: count('Connections at once from one IPv4 /24 or one IPv6 /48.', {
      default: 200,
      least: 1,
      most: 1_000_000,
    }),
    bodyMemory: size('Memory for message bodies over all sessions; beyond it they go to files.', {
      default: '256MiB',
      least: '1MiB',
      most: '64GiB',
    }),
    spool: size('Message bodies on their way in, in memory and in files together; a quarter of it for one network.', {
      default: '2GiB',
      least: '1MiB',
      most: '1024GiB',
    }),
    hops: count('`Received:` lines after which a message is taken for a loop (RFC 5321 §6.3).', {
      default: 100,
      least: 10,
      most: 1000,
    }),
    errors: count('Errors after which a session ends.', { default: 20, least: 1, most: 10_000 }),
    idleCommands: count('Commands in a row that lead to no mail (NOOP, RSET, VRFY, EHLO) after which a session ends.', {
      default: 100,
      least: 1,
      most: 10_000,
    }),
    refusedPerConnection: count('Refused recipients after which a connection ends with 421.', {
      default: 10,
      least: 1,
      most: 100_000,
    }),
    refusedPerMinute: count(
      'Refused recipients a minute of one address after which it hears 450 and no backend is asked.',
      { default: 30, least: 1, most: 100_000 },
    ),
    minimumRate: count('Octets a second, over any minute, that a sender must keep up within DATA.', {
      default: 500,
      least: 1,
      most: 1_000_000,
    }),
  }).prefault({}),
}
