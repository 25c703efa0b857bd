/**
 * What waypost.yaml says about the built-in DNS server: `dnsListen` stands under `listen:`, `dnsServerOptions` under `dns:`. Each option
 * once, with default, unit, range and a sentence; `config` puts them into the schema, and `cli` reads the secrets and makes the rest.
 */
import type { z } from 'zod'
import { type Network, parseNetwork, whyNoNetwork } from '../../base/ip.ts'
import {
  choice,
  count,
  duration,
  list,
  oneOrMore,
  parsed,
  type Read,
  secret,
  section,
  table,
  text,
} from '../../base/option.ts'
import { type NameServer, parseNameServer } from '../servers.ts'
import { tsigAlgorithms } from '../tsig/key.ts'
import { nameFromText } from '../wire-name.ts'

function readServer(input: string): Read<NameServer> {
  const server = parseNameServer(input)
  return server ? { kind: 'value', value: server } : { kind: 'no', why: '' }
}

function readNetwork(input: string): Read<Network> {
  const network = parseNetwork(input)
  return network ? { kind: 'value', value: network } : { kind: 'no', why: whyNoNetwork(input) ?? '' }
}

/** `listen.dns`. Without it there is no DNS server. */
export const dnsListen = oneOrMore(
  'Addresses for DNS, UDP and TCP, port 53 unless another is named. `0.0.0.0` and `[::]` stand for every address of this machine.',
  'an address such as "127.0.0.1:5353", or a list of them',
  parsed('Where DNS listens.', 'an IP address, with or without a port, such as "127.0.0.1:5353"', readServer),
  100,
).optional()

const rateLimit = section('What one network may be sent, so that nobody is flooded with answers to forged questions.', {
  perSecond: count('Answers a second of one kind to one IPv4 /24 or IPv6 /56 over UDP; 0: no limit.', {
    default: 200,
    least: 0,
    most: 1_000_000_000,
  }),
  slip: count('Of those beyond it every so many-th says "ask by TCP"; 0: none does, 1: all do.', {
    default: 2,
    least: 0,
    most: 100,
  }),
  exempt: list(
    'Networks without a limit, over TCP (`tcp.questionsPerSecond`) too.',
    'a list of networks, such as ["192.0.2.0/24"]',
    parsed('A network.', 'an IP address or a network, such as "192.0.2.0/24" or "2001:db8::/32"', readNetwork),
    1000,
  ),
}).prefault({})

const cookies = section('DNS cookies, by which who asks shows that it can be reached at its address (RFC 7873).', {
  policy: choice(
    '`on`: who has one of ours is not limited. `require`: who knows cookies must bring one of ours. `off`: none.',
    ['on', 'off', 'require'],
    'on',
  ),
  secrets: list(
    'Secrets of 32 hex digits, the same on all servers of one address; the first makes cookies, all are taken. Default: one that ends with the process.',
    'a list of secrets',
    secret('A secret for cookies.'),
    4,
  ),
}).prefault({})

const tcp = section('Ceilings of DNS over TCP.', {
  connections: count('Connections at once.', { default: 500, least: 1, most: 100_000 }),
  connectionsPerClient: count('Connections at once from one IPv4 address or one IPv6 /64.', {
    default: 20,
    least: 1,
    most: 100_000,
  }),
  questionsPerSecond: count(
    'Questions a second from one IPv4 address or one IPv6 /64, over all of its connections; what is beyond it waits. 0: no limit. Not for secondaries and `rateLimit.exempt`.',
    { default: 1000, least: 0, most: 1_000_000_000 },
  ),
  idle: duration(
    'How long a connection may be without a whole question, or an answer without a reader; a quarter of it while three quarters of the connections are taken.',
    {
      default: '10s',
      least: '1s',
      most: '5m',
    },
  ),
}).prefault({})

const key = section('A key that two servers share (TSIG, RFC 8945).', {
  algorithm: choice('The hash that signs.', tsigAlgorithms, 'hmac-sha256'),
  secret: secret('The secret, in base64.'),
})

const secondary = section('A server that fetches the zones.', {
  address: parsed(
    'Where it is told of changes, and from where it fetches.',
    'an IP address, with or without a port, such as "192.0.2.53"',
    readServer,
  ),
  key: text('The name of the key under `keys` by which both sides know each other.', 'the name of a key').optional(),
})

/** `dns:` in waypost.yaml. */
export const dnsServerOptions = section('The built-in authoritative DNS server.', {
  rateLimit,
  cookies,
  udpBytes: count('The largest answer over UDP, octets; beyond it the client asks by TCP.', {
    default: 1232,
    least: 512,
    most: 4096,
  }),
  tcp,
  keys: table(
    'Keys by name. The name is part of the key: the other side must use the same.',
    'keys by name',
    key,
  ).prefault({}),
  secondaries: list('Servers that are told of changes and may fetch whole zones.', 'a list of servers', secondary, 100),
  healthyTtl: duration('The TTL of addresses that can be left out because a node is down.', {
    default: '60s',
    least: '1s',
    most: '1h',
  }),
  health: section(
    'How exchangers of sets with `healthy: true` are asked whether they are there: greeting, EHLO, QUIT.',
    {
      interval: duration('Between two questions to one address.', { default: '20s', least: '1s', most: '10m' }),
      timeout: duration(
        'How long one may take; three in a row that fail, or a refused connection, mean that it is down.',
        {
          default: '10s',
          least: '100ms',
          most: '1m',
        },
      ),
      port: count('Where exchangers take mail.', { default: 25, least: 1, most: 65_535 }),
    },
  ).prefault({}),
})
  .superRefine((said, context) => {
    for (const name of Object.keys(said.keys)) {
      const parsedName = nameFromText(name)
      if (parsedName.kind === 'invalid')
        context.addIssue({ code: 'custom', path: ['keys', name], message: `a domain name; ${parsedName.why}` })
    }
    said.secondaries.forEach((one, index) => {
      if (one.key === undefined || Object.hasOwn(said.keys, one.key)) return
      const message = 'the name of a key that stands under dns.keys'
      context.addIssue({ code: 'custom', path: ['secondaries', index, 'key'], message })
    })
  })
  .prefault({})

export type DnsServerOptions = z.output<typeof dnsServerOptions>
