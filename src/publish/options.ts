/**
 * What waypost.yaml says about publishing: the keys of a domain, and `publishers:`. Each option once, with default, unit, range and a
 * sentence; `config` puts them into the schema and reads domains with `read-declaration.ts`, `cli` reads the secrets.
 */

import { z } from 'zod'
import { type IpAddress, parseIp } from '../base/ip.ts'
import {
  bareChoice,
  bareCount,
  duration,
  list,
  oneOrMore,
  optionalDuration,
  optionalFlag,
  parsed,
  type Read,
  secret,
  section,
  table,
  text,
} from '../base/option.ts'
import { type HostName, isHostName, parseName } from '../dns/name.ts'
import { type NameServer, parseNameServer } from '../dns/servers.ts'
import { tsigAlgorithms } from '../dns/tsig/key.ts'
import { nameFromHost, nameFromText, type WireName } from '../dns/wire-name.ts'
import { type ApiUrl, parseApiUrl } from './api-url.ts'

const no = (why: string) => ({ kind: 'no', why }) as const
const value = <Value>(of: Value) => ({ kind: 'value', value: of }) as const

/** A host by its full name; `why` goes on from "this". */
export function readExchangerHost(input: string): Read<HostName> {
  const host = readHost(input)
  return host.kind === 'value' && !host.value.includes('.') ? no('has no dot') : host
}

/** The same where a name without a dot may still be told what it was probably meant to be (`read-declaration.ts`). */
function readHost(input: string): Read<HostName> {
  // RFC 5321 §5.1, RFC 1035 §3.3.9: an exchanger is a name; where it is an address, senders look for a host of that name.
  if (parseIp(input) !== undefined || /^\[.*\]$/.test(input))
    return no('is an address, and MX records name hosts: give the host a name')
  const name = parseName(input)
  if (name.kind === 'invalid') return no(`is ${name.why}`)
  if (!isHostName(name.name)) return no('has characters that no host name has')
  if (/(^|\.)\d+$/.test(name.name)) return no('ends in a number')
  return value(name.name)
}

function readAddress(input: string): Read<IpAddress> {
  const address = parseIp(input)
  return address === undefined ? no('') : value(address)
}

function readServer(input: string): Read<NameServer> {
  const server = parseNameServer(input)
  return server ? value(server) : no('')
}

function readZone(input: string): Read<WireName> {
  const name = parseName(input)
  return name.kind === 'invalid' ? no(`is ${name.why}`) : value(nameFromHost(name.name))
}

function readKeyName(input: string): Read<string> {
  const name = nameFromText(input)
  return name.kind === 'invalid' ? no(name.why) : value(input)
}

function readUrl(input: string): Read<ApiUrl> {
  const url = parseApiUrl(input)
  return url.kind === 'url' ? value(url.url) : no(url.why)
}

const exchanger = section(
  'An exchanger: a host that takes mail for the domain.',
  {
    preference: bareCount('Lower is tried first.', { least: 0, most: 65_535 }),
    host: parsed('The host.', 'a full host name, such as mx1.example.com', readHost),
    addresses: z
      .array(parsed('An address.', 'an IP address', readAddress), { error: 'a list of IP addresses' })
      .min(1, { error: 'at least one address; leave the key out where others keep them' })
      .max(100, { error: 'at most 100 of them' })
      .optional()
      .meta({
        description:
          'All addresses of the host, which are published too where it lies in the zone. Left out: others keep them.',
        wants: 'a list of IP addresses',
      }),
  },
  '{ preference: 10, host: mx1.example.com }',
)

const exchangersWants =
  'a list of { preference, host, addresses }, the name of a provider (docs/providers.md), { provider: name, … } with what it asks for, or none'

const exchangers = z
  .union(
    [
      text('A provider, or none.', exchangersWants),
      z.array(exchanger, { error: exchangersWants }).min(1, { error: exchangersWants }).max(100),
      table('A provider with what it asks for.', exchangersWants, text('A word of the provider.', 'a word')),
    ],
    { error: exchangersWants },
  )
  .optional()
  .meta({
    description:
      'The whole MX set of the domain: hosts, a provider whose set the catalogue knows, or `none` for a domain that takes no mail (RFC 7505).',
    wants: exchangersWants,
  })

const oneText = (what: string, example: string) =>
  text(`The ${what} record. Others at the same name stay.`, `its text, such as "${example}"`).optional()

/** Under a domain, beside what the gateway wants. */
export const publishDomainOptions = {
  exchangers,
  healthy: optionalFlag(
    '`true`: the built-in server leaves out addresses of these exchangers that are known to be down (`dns.health`), never the last one of a host, at a short TTL (`dns.healthyTtl`).',
  ),
  records: section('Policies that are published with the exchangers, each as the text of its TXT record.', {
    spf: oneText('SPF (RFC 7208)', 'v=spf1 mx -all'),
    dmarc: oneText('DMARC, at `_dmarc` (RFC 7489)', 'v=DMARC1; p=reject'),
    mtaSts: oneText('MTA-STS, at `_mta-sts` (RFC 8461)', 'v=STSv1; id=20260101'),
    tlsRpt: oneText('TLSRPT, at `_smtp._tls` (RFC 8460)', 'v=TLSRPTv1; rua=mailto:tls@example.com'),
  }).optional(),
  ttl: optionalDuration('The TTL of the records that are published.', { default: '1h', least: '0s', most: '7d' }),
  publish: text('Where the records are kept: a name under `publishers:`.', 'a name under publishers:').optional(),
  absent: list(
    'Records that are removed where they are found: a name, a type, and data where one of several is meant. Names are absolute.',
    'a list such as ["old.example.com A", "example.com TXT \\"token=1\\""]',
    text('A record.', 'a name, a type and perhaps data, such as "old.example.com A"'),
    1000,
  ),
}

/** Under `defaults:`. */
export const publishDefaultOptions = {
  ttl: publishDomainOptions.ttl,
  publish: publishDomainOptions.publish,
}

const shared = {
  zone: parsed(
    'The zone that the records lie in. Default: each domain is a zone of its own.',
    'a domain name',
    readZone,
  ).optional(),
  servers: oneOrMore(
    'Whom to ask whether a change has arrived, where it is not the name servers that the zone names.',
    'an address such as "192.0.2.53", or a list of them',
    parsed('A name server.', 'an IP address, with or without a port', readServer),
    20,
  ).optional(),
}

const timeout = duration('How long one request may take.', { default: '10s', least: '100ms', most: '5m' })

const argv = (says: string, example: string) =>
  z
    .array(text('A word.', 'a word'), { error: `a list of words: program and arguments, such as ${example}` })
    .min(1)
    .max(50)
    .optional()
    .meta({ description: says, wants: `a list of words: program and arguments, such as ${example}` })

const type = <const Name extends string>(name: Name) => bareChoice('What kind of place this is.', [name])

const rfc2136 = section('A server that takes dynamic updates (RFC 2136): BIND, Knot, PowerDNS and others.', {
  type: type('rfc2136'),
  server: parsed("The zone's primary.", 'an IP address, with or without a port, such as "192.0.2.53"', readServer),
  tsig: section('The key that signs (RFC 8945). Without one, the server goes by our address.', {
    name: parsed('Its name, which is part of it.', 'a domain name', readKeyName),
    algorithm: bareChoice('The hash that signs. Default hmac-sha256.', tsigAlgorithms).prefault('hmac-sha256'),
    secret: secret('The secret, in base64.'),
  }).optional(),
  timeout,
  ...shared,
})

const zonefile = section('A zone file, of whatever server. It is edited; comments and order stay.', {
  type: type('zonefile'),
  path: text('The file. `{zone}` stands for the name of the zone, so that one publisher serves many.', 'a path'),
  reload: argv(
    'What has the server read the file, without a shell. `{zone}` stands for the zone.',
    '[rndc, reload, "{zone}"]',
  ),
  check: argv(
    'What judges the file before it is put in place. `{zone}` and `{file}` stand for the zone and the draft.',
    '[named-checkzone, "{zone}", "{file}"]',
  ),
  includes: optionalFlag(
    '`true`: files that `$INCLUDE` names are read where they lie in the folder of the zone file, or below. Default: a zone with an `$INCLUDE` is refused.',
  ),
  timeout,
  ...shared,
})

const powerdns = section('A PowerDNS Authoritative Server, by its HTTP API.', {
  type: type('powerdns'),
  url: parsed('Where the API is.', 'a URL such as "http://127.0.0.1:8081"', readUrl),
  apiKey: secret('Its `api-key`.'),
  serverId: text('Its name for itself.', 'a word').prefault('localhost'),
  ca: text(
    'PEM file with the roots that its certificate is judged by. Default: those that everybody trusts.',
    'a path',
  ).optional(),
  timeout,
  ...shared,
})

const builtin = section(
  'The built-in DNS server (`listen.dns`). A publisher of this kind is there without being declared, as `builtin`.',
  {
    type: type('builtin'),
    nameServers: oneOrMore(
      'The name servers of new zones, the first of them their primary. Default: our hostname.',
      'a host name, or a list of them',
      parsed('A name server.', 'a full host name, such as ns1.example.com', readExchangerHost),
      13,
    ).optional(),
    hostmaster: parsed(
      'The mailbox that new zones name, written as a domain name. Default: hostmaster at the zone.',
      'a domain name, such as hostmaster.example.com',
      readZone,
    ).optional(),
    negativeTtl: duration('How long the absence of a record is remembered, in new zones.', {
      default: '5m',
      least: '1s',
      most: '1d',
    }),
    zone: shared.zone,
    servers: shared.servers,
  },
)

const ca = text(
  'PEM file with the roots that its certificate is judged by. Default: those that everybody trusts.',
  'a path',
).optional()

const cloudflare = section(
  'A zone at Cloudflare, by its API v4. Written from the documentation, and not run against the real thing yet.',
  {
    type: type('cloudflare'),
    token: secret('An API token with "Zone / DNS / Edit" and "Zone / Zone / Read" for the zone.'),
    zoneId: text(
      'The id of the zone. Default: found by its name.',
      'an id, as the overview of the zone shows it',
    ).optional(),
    url: parsed('Where the API is.', 'a URL', readUrl).prefault('https://api.cloudflare.com/client/v4'),
    ca,
    timeout,
    ...shared,
  },
)

const route53 = section(
  'A hosted zone at Amazon Route 53. Written from the documentation, and not run against the real thing yet.',
  {
    type: type('route53'),
    accessKeyId: secret('The id of the access key.'),
    secretAccessKey: secret('The secret of the access key.'),
    sessionToken: secret('The session token, of temporary credentials.').optional(),
    zoneId: text('The id of the hosted zone. Default: found by its name.', 'an id such as Z123EXAMPLE').optional(),
    region: text('The region that requests are signed for.', 'a region').prefault('us-east-1'),
    url: parsed('Where the API is.', 'a URL', readUrl).prefault('https://route53.amazonaws.com'),
    ca,
    timeout,
    ...shared,
  },
)

const publisherTypes = 'rfc2136, zonefile, powerdns, builtin, cloudflare, route53'
const publisherWants = `keys with values, of which "type" is one of ${publisherTypes}`

export const publisher = z
  .discriminatedUnion('type', [rfc2136, zonefile, powerdns, builtin, cloudflare, route53], {
    error: (issue) => (issue.code === 'invalid_union' ? `one of ${publisherTypes}` : publisherWants),
  })
  .meta({ description: 'A place where DNS records are kept.', wants: publisherWants })

export const publishOptions = {
  publishers: table(
    'Places where DNS records are kept, by names of your own, which domains name by `publish:`.',
    'names with publishers',
    publisher,
  ).prefault({}),
}

export type PublisherOptions = z.output<typeof publisher>
export type ExchangersOption = z.output<typeof exchangers>
export interface PublishDomainOptions {
  readonly exchangers?: ExchangersOption | undefined
  readonly healthy?: boolean | undefined
  readonly records?: z.output<typeof publishDomainOptions.records>
  readonly ttl?: number | undefined
  readonly publish?: string | undefined
  readonly absent: readonly string[]
}
