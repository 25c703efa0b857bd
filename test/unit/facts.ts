/**
 * Facts for the tests of rules: those of a domain in which everything is right, and ways to change one thing. `example.com` is signed, has
 * three dual-stack name servers and two dual-stack exchangers in its own zone, DANE, MTA-STS in enforce, TLSRPT, SPF and DMARC.
 *
 *   const facts = factsOf()                                       no rule says anything about it
 *   factsOf({ mx: noSuchName('example.com') })                    another view
 *   factsOf((facts) => changeSession(facts, 0, { startTls: … }))  another session at the first address of the first exchanger
 */
import { createHash } from 'node:crypto'
import { type IpAddress, parseIp } from '../../src/base/ip.ts'
import { createRoots, readCertificate } from '../../src/checks/certificate.ts'
import type {
  Direct,
  DirectOutcome,
  ExchangerAddress,
  ExchangerFacts,
  Facts,
  NotExamined,
  NotExaminedReason,
  ServerFacts,
  View,
  ZoneFacts,
} from '../../src/checks/facts.ts'
import type { Context } from '../../src/checks/rule.ts'
import type { DnsRecord, Message } from '../../src/dns/message.ts'
import { type HostName, parseName } from '../../src/dns/name.ts'
import type { Rdata, RdataOf } from '../../src/dns/rdata.ts'
import type { FailureReason } from '../../src/dns/read-answer.ts'
import { classCodes, type RecordType, rcodes, typeCodes } from '../../src/dns/types.ts'
import { nameFromText, parentOf, type WireName } from '../../src/dns/wire-name.ts'
import { parseDmarc } from '../../src/records/dmarc.ts'
import type { AskedRecipient, Handshake, ProbedSession, Said } from '../../src/smtp/probe-facts.ts'
import { type Issued, makeCertificate } from './certificate-maker.ts'

/** When the facts were collected: 2026-03-01 12:00 UTC. */
export const collectedMs = Date.UTC(2026, 2, 1, 12)

/** @param change  properties that are other, or a function that makes other facts of the faultless ones */
export function factsOf(change: Partial<Facts> | ((facts: Facts) => Facts) = {}): Facts {
  const facts = faultless()
  return typeof change === 'function' ? change(facts) : { ...facts, ...change }
}

/** What rules are handed beside facts: the roots of the fixture's certificates, and what a test adds. */
export const contextOf = (more: Partial<Context> = {}): Context => ({ roots: createRoots([root.pem]), ...more })

/** A name of a test, or a bug in it. */
export function wire(text: string): WireName {
  const parsed = nameFromText(text)
  if (parsed.kind === 'invalid') throw new Error(`"${text}" is no name: ${parsed.why}`)
  return parsed.name
}

export function host(text: string): HostName {
  const parsed = parseName(text)
  if (parsed.kind === 'invalid') throw new Error(`"${text}" is no host name: ${parsed.why}`)
  return parsed.name
}

export function ip(text: string): IpAddress {
  const parsed = parseIp(text)
  if (!parsed) throw new Error(`"${text}" is no address`)
  return parsed
}

// Certificates of the fixture.

export const root: Issued = makeCertificate({
  name: 'Root of tests',
  isCa: true,
  nowMs: collectedMs,
  notAfterMs: collectedMs + 10 * 365 * 86_400_000,
})
export const intermediate: Issued = makeCertificate({
  name: 'Intermediate of tests',
  isCa: true,
  issuer: root,
  nowMs: collectedMs,
  notAfterMs: collectedMs + 5 * 365 * 86_400_000,
})
/** A good certificate, valid from 1 day before until 89 days behind `collectedMs`. */
export const leafFor = (name: string, more: Partial<Parameters<typeof makeCertificate>[0]> = {}): Issued =>
  makeCertificate({ name, issuer: intermediate, nowMs: collectedMs, ...more })

const leaves = new Map(
  ['mx1.example.com', 'mx2.example.com', 'mta-sts.example.com'].map((name) => [name, leafFor(name)]),
)

/** SHA-256 of the key: what `3 1 1` holds. */
export function keyDigest(certificate: Issued): Buffer {
  const spki = readCertificate(certificate.der)?.key.spki
  if (!spki) throw new Error('the fixture made no certificate')
  return createHash('sha256').update(spki).digest()
}

// Views of the resolver.

interface ViewWords {
  /** Default `secure`. */
  readonly trust?: 'secure' | 'insecure' | 'untold'
  readonly aliases?: readonly string[]
  readonly ttl?: number
  readonly bytes?: number
}

const answered = (name: string, words: ViewWords) => ({
  name: wire(name),
  aliases: (words.aliases ?? []).map(wire),
  canonicalName: wire(words.aliases?.at(-1) ?? name),
  trust: words.trust ?? 'secure',
  ttlSeconds: words.ttl ?? 3600,
  bytes: words.bytes ?? 200,
  extendedErrors: [],
  tookMs: 12,
})

export function answer<D extends Rdata>(
  name: string,
  data: readonly D[],
  words: ViewWords = {},
): View<Extract<D['type'], RecordType>> {
  const known = answered(name, words)
  const records = data.map((one) => record(known.canonicalName, one, known.ttlSeconds))
  return {
    kind: 'answer',
    ...known,
    records: records as unknown as DnsRecord<RdataOf<Extract<D['type'], RecordType>>>[],
  }
}

export const noData = (name: string, words: ViewWords = {}) => ({ kind: 'no-data', ...answered(name, words) }) as const

export const noSuchName = (name: string, words: ViewWords = {}) =>
  ({ kind: 'no-such-name', ...answered(name, words) }) as const

/** `bogus`: SERVFAIL, and an answer with CD set. */
export function failed(name: string, reason: FailureReason = 'servfail', more: 'bogus' | 'broken' = 'broken') {
  const unchecked = reason !== 'servfail' ? 'not-asked' : more === 'bogus' ? 'answer' : 'failed'
  const extendedErrors = more === 'bogus' ? [{ code: 6, text: Buffer.from('') }] : []
  const why = `192.0.2.53:53: ${reason}`
  return { kind: 'failed', name: wire(name), aliases: [], reason, why, unchecked, extendedErrors, tookMs: 20 } as const
}

export const notExamined = (reason: NotExaminedReason, why = 'The test left it out.'): NotExamined => ({
  kind: 'not-examined',
  reason,
  why,
})

// Data of records.

export const mxData = (preference: number, exchange: string): RdataOf<'MX'> => ({
  type: 'MX',
  preference,
  exchange: wire(exchange),
})
export const aData = (address: string): RdataOf<'A'> => ({ type: 'A', address: ip(address) })
export const aaaaData = (address: string): RdataOf<'AAAA'> => ({ type: 'AAAA', address: ip(address) })
export const txtData = (...strings: string[]): RdataOf<'TXT'> => ({
  type: 'TXT',
  strings: strings.map((string) => Buffer.from(string, 'latin1')),
})
export const cnameData = (target: string): RdataOf<'CNAME'> => ({ type: 'CNAME', target: wire(target) })
export const ptrData = (target: string): RdataOf<'PTR'> => ({ type: 'PTR', target: wire(target) })
export const nsData = (target: string): RdataOf<'NS'> => ({ type: 'NS', target: wire(target) })
export const tlsaData = (usage: number, selector: number, matching: number, data: Buffer): RdataOf<'TLSA'> => ({
  type: 'TLSA',
  usage,
  selector,
  matching,
  data,
})
export const caaData = (tag: string, value: string, flags = 0): RdataOf<'CAA'> => ({
  type: 'CAA',
  flags,
  tag,
  value: Buffer.from(value),
})
export const soaData = (serial = 2026030101, minimumSeconds = 3600): RdataOf<'SOA'> => ({
  type: 'SOA',
  primary: wire('ns1.example.com'),
  mailbox: wire('hostmaster.example.com'),
  serial,
  refreshSeconds: 14_400,
  retrySeconds: 3600,
  expireSeconds: 1_209_600,
  minimumSeconds,
})

const seconds = (ms: number) => Math.floor(ms / 1000)

/** A signature over records of the type, valid from 10 days before to 20 days behind `collectedMs`. */
export const rrsigData = (covered: RecordType, more: Partial<RdataOf<'RRSIG'>> = {}): RdataOf<'RRSIG'> => ({
  type: 'RRSIG',
  covered: typeCodes[covered],
  algorithm: 13,
  labels: 2,
  originalTtlSeconds: 3600,
  inception: seconds(collectedMs - 10 * 86_400_000),
  expiration: seconds(collectedMs + 20 * 86_400_000),
  keyTag: 12_345,
  signer: wire('example.com'),
  signature: Buffer.alloc(64, 1),
  ...more,
})

export const record = <D extends Rdata>(name: WireName, data: D, ttlSeconds = 3600): DnsRecord<D> => ({
  name,
  class: classCodes.IN,
  ttlSeconds,
  data,
})

// What authoritative servers say.

interface ResponseWords {
  readonly authorities?: readonly Rdata[]
  /** Owner of the authorities. Default example.com. */
  readonly zone?: string
  readonly message?: Partial<Message>
}

/** An authoritative answer with its signature; without data NODATA, with the SOA and a signed NSEC. */
export function response(
  name: string,
  type: RecordType,
  data: readonly Rdata[],
  words: ResponseWords = {},
): DirectOutcome {
  const owner = wire(name)
  const zone = wire(words.zone ?? 'example.com')
  const signed = data.length > 0 ? [...data, rrsigData(type)] : []
  const nsec = { type: 'NSEC', next: zone, types: [2, 6, 15, 16, 46, 47, 48] } as const
  const denial = [soaData(), rrsigData('SOA'), nsec, rrsigData('NSEC')]
  const authorities = words.authorities ?? (data.length > 0 ? [] : denial)
  const message: Message = {
    id: 1,
    isResponse: true,
    opcode: 0,
    authoritative: true,
    truncated: false,
    recursionDesired: false,
    recursionAvailable: false,
    authenticData: false,
    checkingDisabled: false,
    rcode: rcodes.noError,
    questions: [{ name: owner, type: typeCodes[type], class: classCodes.IN }],
    answers: signed.map((one) => record(owner, one)),
    authorities: authorities.map((one) => record(zone, one)),
    additionals: [],
    edns: { udpBytes: 1232, version: 0, dnssecOk: true, options: [] },
    ...words.message,
  }
  return { kind: 'response', message, bytes: 300, tookMs: 15 }
}

export const silence: DirectOutcome = { kind: 'silence', tries: 3, tookMs: 9000 }

export const direct = (
  name: string,
  type: RecordType,
  outcome: DirectOutcome,
  more: Partial<Pick<Direct, 'over' | 'edns' | 'recursion'>> = {},
): Direct => ({ name: wire(name), type, over: 'udp', edns: true, recursion: false, outcome, ...more })

// Sessions.

export const said = (code: number, ...text: string[]): Said => {
  const [, enhanced, first = ''] = /^(?:([245]\.\d+\.\d+) )?(.*)$/s.exec(text[0] ?? '') ?? []
  return { kind: 'reply', reply: { code, enhanced, text: [first, ...text.slice(1)] }, tookMs: 20 }
}

export const notSaid = { kind: 'not-said', reason: 'not-wanted', why: 'The test left it out.' } as const

export function secured(
  chain: readonly Issued[],
  more: Partial<Extract<Handshake, { kind: 'secured' }>> = {},
): Handshake {
  return {
    kind: 'secured',
    offer: {
      serverName: host('mx1.example.com'),
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
      keys: 'any',
    },
    version: 'TLSv1.3',
    cipher: { name: 'TLS_AES_256_GCM_SHA384', standardName: 'TLS_AES_256_GCM_SHA384' },
    keyExchange: { name: 'X25519', bits: 253 },
    chain: chain.map(({ der }) => der),
    leafKey: chain[0]?.key.asymmetricKeyType === 'rsa' ? 'rsa' : 'ecdsa',
    tookMs: 30,
    ...more,
  }
}

export function session(exchanger: string, address: string, change: Partial<ProbedSession> = {}): ProbedSession {
  const offers = [exchanger, 'PIPELINING', 'SIZE 52428800', '8BITMIME', 'ENHANCEDSTATUSCODES', 'SMTPUTF8']
  const leaf = leaves.get(exchanger) ?? leafFor(exchanger)
  const chain = [leaf, intermediate]
  const connect = { kind: 'connected', tookMs: 20, localAddress: ip('198.51.100.7') } as const
  const handshake = secured(chain)
  const recipient = (purpose: AskedRecipient['purpose'], to: string, answer: Said): AskedRecipient => ({
    purpose,
    address: to,
    sender: null,
    mail: said(250, '2.1.0 ok'),
    said: answer,
  })
  return {
    address: ip(address),
    port: 25,
    startedAtMs: collectedMs,
    tookMs: 400,
    hello: 'probe.example.net',
    connect,
    greeting: said(220, `${exchanger} ESMTP`),
    ehlo: said(250, ...offers, 'STARTTLS'),
    helo: notSaid,
    mailInClear: said(250, '2.1.0 ok'),
    startTls: said(220, '2.0.0 ready'),
    handshake,
    ehloInTls: said(250, ...offers),
    mailFromNull: said(250, '2.1.0 ok'),
    recipients: [
      recipient('postmaster', 'postmaster@example.com', said(250, '2.1.5 ok')),
      recipient('bare-postmaster', 'Postmaster', said(250, '2.1.5 ok')),
      recipient('abuse', 'abuse@example.com', said(250, '2.1.5 ok')),
      recipient('unknown', 'waypost-6f1c@example.com', said(550, '5.1.1 no such user')),
      recipient('unknown-again', 'waypost-91ab@example.com', said(550, '5.1.1 no such user')),
      { ...recipient('foreign', 'relay@example.net', said(554, '5.7.1 relay denied')), sender: 'probe@example.net' },
    ],
    injected: notSaid,
    quit: said(221, '2.0.0 bye'),
    extras: [
      { purpose: 'without-sni', connect, handshake },
      { purpose: 'tls-1.2', connect, handshake: secured(chain, { version: 'TLSv1.2' }) },
      {
        purpose: 'old-tls',
        connect,
        handshake: {
          kind: 'failed',
          offer: { serverName: host(exchanger), minVersion: 'TLSv1', maxVersion: 'TLSv1.1', keys: 'any' },
          side: 'peer',
          detail: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
          tookMs: 10,
        },
      },
    ],
    ...change,
  }
}

// The faultless domain.

const exchangerPlaces = [
  { name: 'mx1.example.com', preference: 10, v4: '192.0.2.1', v6: '2001:db8:1::1' },
  { name: 'mx2.example.com', preference: 20, v4: '198.51.100.1', v6: '2001:db8:2::1' },
]
const serverPlaces = [
  { name: 'ns1.example.com', v4: '192.0.2.53', v6: '2001:db8:1::53' },
  { name: 'ns2.example.com', v4: '198.51.100.53', v6: '2001:db8:2::53' },
  { name: 'ns3.example.com', v4: '203.0.113.53', v6: '2001:db8:3::53' },
]
const stsPolicy =
  'version: STSv1\r\nmode: enforce\r\nmx: mx1.example.com\r\nmx: mx2.example.com\r\nmax_age: 2419200\r\n'
const spfRecord = 'v=spf1 ip4:192.0.2.1 ip4:198.51.100.1 -all'
const dmarcRecord = 'v=DMARC1; p=reject; rua=mailto:dmarc@example.com'

function parsedDmarc() {
  const parsed = parseDmarc(dmarcRecord)
  if (parsed.kind === 'invalid') throw new Error('the fixture has no DMARC')
  return parsed.record
}

function faultless(): Facts {
  const domain = 'example.com'
  return {
    domain: host(domain),
    startedAtMs: collectedMs,
    tookMs: 1500,
    examination: { probe: 'full', smtpPort: 25, isPrivate: true, families: 'both' },
    vantage: { ipv4: 'works', ipv6: 'works', port25: 'open', validation: 'trusted' },
    mx: answer(
      domain,
      exchangerPlaces.map(({ preference, name }) => mxData(preference, name)),
    ),
    a: answer(domain, [aData('203.0.113.80')]),
    aaaa: noData(domain),
    exchangers: exchangerPlaces.map(exchangerAt),
    zone: wire(domain),
    zones: [zone()],
    wildcard: {
      name: wire(`waypost-3c1d.${domain}`),
      mx: noSuchName(`waypost-3c1d.${domain}`),
      txt: noSuchName(`waypost-3c1d.${domain}`),
    },
    spf: {
      txt: answer(domain, [txtData(spfRecord)]),
      lookups: [],
      cost: {
        root: { domain: host(domain), record: undefined, steps: [], lookups: 0 },
        lookups: 0,
        voidLookups: 0,
        depth: 1,
        troubles: [],
      },
    },
    dkim: { parent: noData(`_domainkey.${domain}`), selectors: notExamined('not-wanted', 'No selectors were named.') },
    dmarc: {
      walk: [
        {
          name: wire(`_dmarc.${domain}`),
          type: 'TXT',
          view: answer(`_dmarc.${domain}`, [txtData(dmarcRecord)]),
        },
      ],
      discovery: {
        kind: 'found',
        asked: [{ domain: host(domain), found: 'record' }],
        at: host(domain),
        record: parsedDmarc(),
      },
      reportConsents: [],
    },
    bimi: noSuchName(`default._bimi.${domain}`),
    mtaSts: {
      txt: answer(`_mta-sts.${domain}`, [txtData('v=STSv1; id=20260101')]),
      a: answer(`mta-sts.${domain}`, [aData('203.0.113.80')]),
      aaaa: noData(`mta-sts.${domain}`),
      https: {
        kind: 'response',
        address: ip('203.0.113.80'),
        handshake: secured([leaves.get('mta-sts.example.com') ?? root, intermediate]),
        status: 200,
        contentType: 'text/plain; charset=utf-8',
        location: undefined,
        body: Buffer.from(stsPolicy),
        bodyEnd: 'whole',
        tookMs: 120,
      },
    },
    tlsRpt: {
      txt: answer(`_smtp._tls.${domain}`, [txtData(`v=TLSRPTv1; rua=mailto:tls@${domain}`)]),
      destinations: [],
    },
    spent: { queries: 90, connections: 11 },
  }
}

function exchangerAt({ name, preference, v4, v6 }: (typeof exchangerPlaces)[number]): ExchangerFacts {
  const address = (text: string): ExchangerAddress => ({
    address: ip(text),
    notPublic: undefined,
    reverse: {
      ptr: answer(reverseName(text), [ptrData(name)]),
      forward: [
        { name: wire(name), view: text.includes(':') ? answer(name, [aaaaData(text)]) : answer(name, [aData(text)]) },
      ],
    },
    smtp: { kind: 'probed', sessions: [session(name, text)], probe: 'full', isShared: false },
    ownNames: [{ name: host(name), a: answer(name, [aData(v4)]), aaaa: answer(name, [aaaaData(v6)]) }],
    blocklists: notExamined('not-wanted', 'No lists were named.'),
  })
  return {
    name: wire(name),
    host: host(name),
    preferences: [preference],
    isImplicit: false,
    a: answer(name, [aData(v4)]),
    aaaa: answer(name, [aaaaData(v6)]),
    cname: notExamined('not-applicable', 'It is no alias.'),
    zone: wire('example.com'),
    registrable: { domain: host('example.com'), soa: answer('example.com', [soaData()]) },
    tlsa: [{ base: wire(name), place: 'target', view: answer(`_25._tcp.${name}`, [goodTlsa(name)]) }],
    caa: [
      { name: wire(name), type: 'CAA', view: noData(name) },
      { name: wire('example.com'), type: 'CAA', view: noData('example.com') },
      { name: wire('com'), type: 'CAA', view: noData('com') },
    ],
    addresses: [address(v4), address(v6)],
  }
}

const dnskeyData: RdataOf<'DNSKEY'> = {
  type: 'DNSKEY',
  flags: 257,
  protocol: 3,
  algorithm: 13,
  key: Buffer.alloc(64, 9),
}

const goodTlsa = (name: string) => tlsaData(3, 1, 1, keyDigest(leaves.get(name) ?? root))

/** `192.0.2.1` → `1.2.0.192.in-addr.arpa`; of IPv6 a stand-in, because rules never take it apart. */
const reverseName = (text: string) =>
  text.includes(':') ? `${text.replaceAll(':', '-')}.ip6.arpa` : `${text.split('.').reverse().join('.')}.in-addr.arpa`

const servers = (): ServerFacts[] =>
  serverPlaces.flatMap(({ name, v4, v6 }) =>
    [v4, v6].map((address) => ({ name: wire(name), address: ip(address), asked: goodAnswers() })),
  )

/** What a good server of the zone says to everything that `collect` asks it. */
function goodAnswers(): Direct[] {
  const domain = 'example.com'
  const mx = response(
    domain,
    'MX',
    exchangerPlaces.map(({ preference, name }) => mxData(preference, name)),
  )
  const refused = response('waypost-77.example.net', 'A', [], {
    authorities: [],
    message: { authoritative: false, rcode: rcodes.refused },
  })
  return [
    direct(domain, 'SOA', response(domain, 'SOA', [soaData()])),
    direct(domain, 'MX', mx),
    direct(domain, 'MX', mx, { over: 'tcp' }),
    direct(
      domain,
      'NS',
      response(
        domain,
        'NS',
        serverPlaces.map(({ name }) => nsData(name)),
      ),
    ),
    direct(domain, 'CNAME', response(domain, 'CNAME', [])),
    direct(domain, 'TXT', response(domain, 'TXT', [txtData(spfRecord)])),
    direct(domain, 'DNSKEY', response(domain, 'DNSKEY', [dnskeyData])),
    direct(domain, 'HINFO', response(domain, 'HINFO', [])),
    ...exchangerPlaces.flatMap(({ name, v4, v6 }) => [
      direct(name, 'A', response(name, 'A', [aData(v4)])),
      direct(name, 'AAAA', response(name, 'AAAA', [aaaaData(v6)])),
      direct(name, 'CAA', response(name, 'CAA', [])),
      direct(`_25._tcp.${name}`, 'TLSA', response(`_25._tcp.${name}`, 'TLSA', [goodTlsa(name)])),
      direct(`_tcp.${name}`, 'TXT', response(`_tcp.${name}`, 'TXT', [])),
    ]),
    direct('waypost-77.example.net', 'A', refused, { recursion: true }),
  ]
}

function zone(): ZoneFacts {
  const apex = wire('example.com')
  const referral = response('example.com', 'NS', [], {
    authorities: serverPlaces.map(({ name }) => nsData(name)),
    message: {
      authoritative: false,
      additionals: serverPlaces.flatMap(({ name, v4, v6 }) => [
        record(wire(name), aData(v4)),
        record(wire(name), aaaaData(v6)),
      ]),
    },
  })
  if (referral.kind !== 'response') throw new Error('a response is one')
  return {
    apex,
    serves: [apex, ...exchangerPlaces.map(({ name }) => wire(name))],
    delegation: {
      kind: 'delegated',
      parent: parentOf(apex),
      referral: referral.message,
      server: { name: wire('a.gtld-servers.net'), address: ip('192.0.2.200') },
    },
    nameServers: serverPlaces.map(({ name, v4, v6 }) => ({
      name: wire(name),
      atParent: true,
      atApex: true,
      glue: [ip(v4), ip(v6)],
      a: answer(name, [aData(v4)]),
      aaaa: answer(name, [aaaaData(v6)]),
    })),
    servers: servers(),
    ds: answer('example.com', [
      { type: 'DS', keyTag: 12_345, algorithm: 13, digestType: 2, digest: Buffer.alloc(32, 7) },
    ]),
    dnskey: answer('example.com', [dnskeyData]),
    nsec3param: noData('example.com'),
  }
}

// Ways to change one thing.

/** @param index  of the exchanger, best first */
export function changeExchanger(
  facts: Facts,
  index: number,
  change: Partial<ExchangerFacts> | ((exchanger: ExchangerFacts) => ExchangerFacts),
): Facts {
  return {
    ...facts,
    exchangers: facts.exchangers.map((exchanger, at) => (at === index ? applied(exchanger, change) : exchanger)),
  }
}

/** @param index  of the address, over all exchangers: 0 and 1 are IPv4 and IPv6 of the first, 2 and 3 of the second */
export function changeAddress(
  facts: Facts,
  index: number,
  change: Partial<ExchangerAddress> | ((at: ExchangerAddress) => ExchangerAddress),
): Facts {
  let at = 0
  const exchangers = facts.exchangers.map((exchanger) => ({
    ...exchanger,
    addresses: exchanger.addresses.map((address) => (at++ === index ? applied(address, change) : address)),
  }))
  return { ...facts, exchangers }
}

/** Changes the first session at one address (see `changeAddress`), or with 'all' at every one. */
export function changeSession(
  facts: Facts,
  index: number | 'all',
  change: Partial<ProbedSession> | ((session: ProbedSession) => ProbedSession),
): Facts {
  const count = facts.exchangers.reduce((sum, { addresses }) => sum + addresses.length, 0)
  const all = index === 'all' ? Array.from({ length: count }, (_, at) => at) : [index]
  return all.reduce(
    (changed, at) =>
      changeAddress(changed, at, (address) => {
        if (address.smtp.kind !== 'probed') throw new Error('there is no session to change')
        const [first, ...later] = address.smtp.sessions
        return { ...address, smtp: { ...address.smtp, sessions: [applied(first, change), ...later] } }
      }),
    facts,
  )
}

/** @param index  of the zone in `facts.zones` */
export function changeZone(
  facts: Facts,
  index: number,
  change: Partial<ZoneFacts> | ((zone: ZoneFacts) => ZoneFacts),
): Facts {
  return { ...facts, zones: facts.zones.map((zone, at) => (at === index ? applied(zone, change) : zone)) }
}

/** @param index  of the server's address in the first zone: 0 and 1 are ns1 by IPv4 and IPv6, and so on */
export function changeServer(
  facts: Facts,
  index: number,
  change: Partial<ServerFacts> | ((server: ServerFacts) => ServerFacts),
): Facts {
  return changeZone(facts, 0, (zone) => ({
    ...zone,
    servers: zone.servers.map((server, at) => (at === index ? applied(server, change) : server)),
  }))
}

/** Makes a server say something else to what it was asked. @param over  default: over both */
export function changeAnswer(
  facts: Facts,
  index: number,
  name: string,
  type: RecordType,
  outcome: DirectOutcome,
  over?: 'udp' | 'tcp',
): Facts {
  return changeServer(facts, index, (server) => {
    const isMeant = (one: Direct) => one.name === wire(name) && one.type === type && (over ?? one.over) === one.over
    if (!server.asked.some(isMeant)) throw new Error(`the server was not asked ${type} ${name}`)
    return { ...server, asked: server.asked.map((one) => (isMeant(one) ? { ...one, outcome } : one)) }
  })
}

const applied = <T extends object>(before: T, change: Partial<T> | ((before: T) => T)): T =>
  typeof change === 'function' ? change(before) : { ...before, ...change }
