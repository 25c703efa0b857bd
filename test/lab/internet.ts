/**
 * A small internet for the checks, on loopback: a root, zones below it with name servers of their own (all on one port, each at its own
 * address), and a recursive resolver that knows them all and says AD of signed zones. Signatures are for show; what validation would say is
 * one of a zone's words. Faults are functions of the question; everything ends with the test.
 */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram'
import { createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { type IpAddress, isIpv6, parseIp } from '../../src/base/ip.ts'
import { type DnsRecord, decodeMessage, encodeMessage, type Message, type Question } from '../../src/dns/message.ts'
import type { Rdata, RdataOf } from '../../src/dns/rdata.ts'
import type { NameServer } from '../../src/dns/servers.ts'
import { classCodes, type RecordType, rcodes, typeCodes, typeName } from '../../src/dns/types.ts'
import {
  foldName,
  isAtOrBelow,
  nameText,
  parentOf,
  rootWireName,
  sameName,
  type WireName,
} from '../../src/dns/wire-name.ts'
import { labName } from './dns.ts'
import { freeAddress } from './loopback.ts'

/** What a name has. */
export interface LabRecords {
  readonly A?: readonly string[]
  readonly AAAA?: readonly string[]
  readonly MX?: readonly (readonly [number, string])[]
  readonly CNAME?: string
  /** Names of servers in another zone. A zone's own NS set is made of its servers. */
  readonly NS?: readonly string[]
  readonly PTR?: readonly string[]
  /** Each a record of one string. */
  readonly TXT?: readonly string[]
  /** Usage, selector, matching type, data. */
  readonly TLSA?: readonly (readonly [number, number, number, Buffer])[]
  readonly CAA?: readonly (readonly [string, string])[]
  readonly ttl?: number
}

export interface AskedOfLab {
  /** `MX`, `example.lab.` */
  readonly type: string
  readonly name: string
  readonly over: 'udp' | 'tcp'
  readonly edns: boolean
}

/** What a server does instead of answering rightly: nothing at all, or the right answer with changes. */
export type LabFault = (asked: AskedOfLab, right: Message) => 'silence' | Partial<Message> | undefined

export interface LabServerWords {
  /** Its name, in any zone. */
  readonly name: string
  /** Default: a free one of 127/8. */
  readonly address?: string
  readonly fault?: LabFault
  /** Records that this server has instead of the zone's. */
  readonly records?: Readonly<Record<string, LabRecords>>
  readonly serial?: number
}

export interface LabZoneWords {
  readonly servers: readonly LabServerWords[]
  readonly records: Readonly<Record<string, LabRecords>>
  /** Default true. */
  readonly isSigned?: boolean
  /** What a validating resolver finds: `bogus` is SERVFAIL unless CD is set; `dead` is SERVFAIL in any case. */
  readonly state?: 'bogus' | 'dead'
}

export interface InternetWords {
  /** By apex, the root as `.`; a zone is delegated from the nearest zone above. */
  readonly zones: Readonly<Record<string, LabZoneWords>>
  /** What the resolver does wrong. */
  readonly resolverFault?: LabFault
  /** Default true. */
  readonly validates?: boolean
}

export interface LabInternet {
  readonly port: number
  readonly resolver: NameServer
  readonly rootHints: readonly IpAddress[]
  addressOf(server: string): IpAddress
  /** Every question to an authoritative server: `127.1.2.3 udp MX example.lab.` */
  readonly asked: readonly string[]
  /** The same of the resolver. */
  readonly resolved: readonly string[]
}

interface Zone {
  readonly apex: WireName
  readonly words: LabZoneWords
  readonly records: readonly DnsRecord[]
}

export async function startInternet(t: TestContext, words: InternetWords): Promise<LabInternet> {
  const addresses = new Map<string, string>()
  for (const { servers } of Object.values(words.zones))
    for (const { name, address } of servers)
      addresses.set(key(name), address ?? addresses.get(key(name)) ?? freeAddress())
  const addressOf = (name: string) => addresses.get(key(name)) ?? fail(`${name} is no server of the lab`)

  const zones = Object.entries(words.zones).map(([apex, zone]) =>
    readZone(apex, zone, zone.records, undefined, words, addressOf),
  )
  const asked: string[] = []
  const resolved: string[] = []
  const hosts = [...new Set(addresses.values())]
  // It stands on this machine, so that its AD is believed (RFC 4035 §4.9.3).
  const resolverAddress = freeAddress('127')
  const port = await commonPort([...hosts, resolverAddress])

  for (const address of hosts) {
    const own = Object.entries(words.zones).flatMap(([apex, zone]) =>
      zone.servers
        .filter(({ name }) => addressOf(name) === address)
        .map((server) => ({
          server,
          zone: readZone(apex, zone, server.records ?? zone.records, server.serial, words, addressOf),
        })),
    )
    await listen(t, address, port, (query, question, over) => {
      asked.push(`${address} ${over} ${typeName(question.type)} ${nameText(question.name)}`)
      const best = deepest(
        own.map(({ zone }) => zone),
        question,
      )
      const right = best ? authoritative(query, question, best) : { ...blank(query), rcode: rcodes.refused }
      const fault = own.find(({ zone }) => zone === best)?.server.fault ?? own[0]?.server.fault
      return faulty(query, question, over, right, fault)
    })
  }
  await listen(t, resolverAddress, port, (query, question, over) => {
    resolved.push(`${over} ${typeName(question.type)} ${nameText(question.name)}${query.checkingDisabled ? ' CD' : ''}`)
    return faulty(
      query,
      question,
      over,
      recursive(query, question, zones, words.validates ?? true),
      words.resolverFault,
    )
  })
  const roots = words.zones['.']?.servers ?? fail('a lab has a root')
  return {
    port,
    resolver: { address: ip(resolverAddress), port },
    rootHints: roots.map(({ name }) => ip(addressOf(name))),
    addressOf: (name) => ip(addressOf(name)),
    asked,
    resolved,
  }
}

const key = (name: string) => foldName(labName(name))

function fail(why: string): never {
  throw new Error(why)
}

const ip = (text: string): IpAddress => parseIp(text) ?? fail(`"${text}" is no address`)

function readZone(
  apexText: string,
  words: LabZoneWords,
  records: Readonly<Record<string, LabRecords>>,
  serial: number | undefined,
  internet: InternetWords,
  addressOf: (name: string) => string,
): Zone {
  const apex = labName(apexText)
  const made: DnsRecord[] = [
    record(apex, soa(apex, serial ?? 1)),
    ...words.servers.map(({ name }) => record(apex, { type: 'NS', target: labName(name) })),
    ...Object.entries(records).flatMap(([name, node]) => nodeRecords(labName(name), node)),
  ]
  // Each zone below is delegated with glue, and with DS where both are signed.
  for (const [childText, child] of Object.entries(internet.zones)) {
    const childApex = labName(childText)
    if (sameName(childApex, apex) || !isParent(apexText, childText, internet)) continue
    for (const { name } of child.servers) made.push(record(childApex, { type: 'NS', target: labName(name) }))
    if (child.isSigned ?? true)
      made.push(record(childApex, { type: 'DS', keyTag: 1, algorithm: 13, digestType: 2, digest: Buffer.alloc(32, 1) }))
  }
  // A server's address is known where its name is, and as glue above.
  for (const { name } of Object.values(internet.zones).flatMap(({ servers }) => servers)) {
    const owner = labName(name)
    const data: Rdata = { type: isIpv6(ip(addressOf(name))) ? 'AAAA' : 'A', address: ip(addressOf(name)) }
    if (isAtOrBelow(owner, apex) && !made.some((one) => sameName(one.name, owner) && one.data.type === data.type))
      made.push(record(owner, data))
  }
  return { apex, words, records: made }
}

/** Whether `parent` is the nearest zone above `child`. */
function isParent(parent: string, child: string, { zones }: InternetWords): boolean {
  const above = Object.keys(zones).filter(
    (zone) => !sameName(labName(zone), labName(child)) && isAtOrBelow(labName(child), labName(zone)),
  )
  const nearest = above.sort((one, other) => labName(other).length - labName(one).length)[0]
  return nearest !== undefined && sameName(labName(nearest), labName(parent))
}

const record = <D extends Rdata>(name: WireName, data: D, ttlSeconds = 300): DnsRecord<D> => ({
  name,
  class: classCodes.IN,
  ttlSeconds,
  data,
})

function nodeRecords(name: WireName, node: LabRecords): DnsRecord[] {
  const data: Rdata[] = [
    ...(node.CNAME === undefined ? [] : [{ type: 'CNAME' as const, target: labName(node.CNAME) }]),
    ...(node.A ?? []).map((address) => ({ type: 'A' as const, address: ip(address) })),
    ...(node.AAAA ?? []).map((address) => ({ type: 'AAAA' as const, address: ip(address) })),
    ...(node.MX ?? []).map(([preference, to]) => ({ type: 'MX' as const, preference, exchange: labName(to) })),
    ...(node.NS ?? []).map((to) => ({ type: 'NS' as const, target: labName(to) })),
    ...(node.PTR ?? []).map((to) => ({ type: 'PTR' as const, target: labName(to) })),
    ...(node.TXT ?? []).map((text) => ({ type: 'TXT' as const, strings: inStrings(Buffer.from(text, 'latin1')) })),
    ...(node.TLSA ?? []).map(([usage, selector, matching, bytes]) => ({
      type: 'TLSA' as const,
      usage,
      selector,
      matching,
      data: bytes,
    })),
    ...(node.CAA ?? []).map(([tag, value]) => ({ type: 'CAA' as const, flags: 0, tag, value: Buffer.from(value) })),
  ]
  return data.map((one) => record(name, one, node.ttl))
}

function inStrings(bytes: Buffer): Buffer[] {
  const strings: Buffer[] = []
  for (let at = 0; at < bytes.length || at === 0; at += 255) strings.push(bytes.subarray(at, at + 255))
  return strings
}

const soa = (apex: WireName, serial: number): RdataOf<'SOA'> => ({
  type: 'SOA',
  primary: apex,
  mailbox: apex,
  serial,
  refreshSeconds: 3600,
  retrySeconds: 600,
  expireSeconds: 86_400,
  minimumSeconds: 300,
})

const blank = (query: Message): Message => ({
  ...query,
  isResponse: true,
  authenticData: false,
  recursionAvailable: false,
  answers: [],
  authorities: [],
  additionals: [],
  edns: query.edns && { udpBytes: 1232, version: 0, dnssecOk: query.edns.dnssecOk, options: [] },
})

/** The zone of a server that a question is for; DS belongs to the parent, where that is here too. */
function deepest(zones: readonly Zone[], { name, type }: Question): Zone | undefined {
  const isOwn = ({ apex }: Zone) => isAtOrBelow(name, apex) && !(type === typeCodes.DS && sameName(apex, name))
  const fitting = zones.filter(isOwn).sort((one, other) => other.apex.length - one.apex.length)
  return fitting[0]
}

function authoritative(query: Message, question: Question, zone: Zone): Message {
  const cut = cutFor(question, zone)
  const right = blank(query)
  if (!cut) return { ...right, authoritative: true, ...lookUp(question, zone, query.edns?.dnssecOk === true) }
  const set = zone.records.filter((one) => one.data.type === 'NS' && sameName(one.name, cut))
  const glue = set.flatMap(({ data }) =>
    data.type === 'NS'
      ? zone.records.filter(
          (one) => (one.data.type === 'A' || one.data.type === 'AAAA') && sameName(one.name, data.target),
        )
      : [],
  )
  return { ...right, authoritative: false, authorities: set, additionals: glue }
}

function cutFor({ name, type }: Question, zone: Zone): WireName | undefined {
  for (let at = name; isAtOrBelow(at, zone.apex) && !sameName(at, zone.apex); at = parentOf(at)) {
    if (type === typeCodes.DS && sameName(at, name)) continue
    if (zone.records.some((one) => one.data.type === 'NS' && sameName(one.name, at))) return at
  }
  return undefined
}

type Part = Pick<Message, 'rcode' | 'answers' | 'authorities'>

function lookUp({ name, type }: Question, zone: Zone, withSignatures: boolean): Part {
  const own = zone.records.filter((one) => sameName(one.name, name))
  const exists = own.length > 0 || zone.records.some((one) => isAtOrBelow(one.name, name))
  const here = exists ? own : wildcardOf(name, zone)
  const isSigned = withSignatures && (zone.words.isSigned ?? true)
  const wanted = here.filter(({ data }) => typeName(type) === data.type || data.type === 'CNAME')
  const found = wanted.some(({ data }) => data.type === typeName(type))
    ? wanted.filter(({ data }) => data.type === typeName(type))
    : wanted
  const [first] = found
  if (first) {
    const signature = isSigned ? [record(first.name, rrsig(first.data.type as RecordType, zone.apex))] : []
    return { rcode: rcodes.noError, answers: [...found, ...signature], authorities: [] }
  }
  const authorities: DnsRecord[] = [record(zone.apex, soa(zone.apex, 1))]
  if (isSigned) {
    const types = [...new Set(own.map(({ data }) => (data.type === 'opaque' ? data.code : typeCodes[data.type])))]
    authorities.push(record(zone.apex, rrsig('SOA', zone.apex)))
    authorities.push(record(name, { type: 'NSEC', next: zone.apex, types }), record(name, rrsig('NSEC', zone.apex)))
  }
  return { rcode: exists || here.length > 0 ? rcodes.noError : rcodes.nxDomain, answers: [], authorities }
}

/** RFC 4592 §3.3.1: the wildcard at the closest name that exists. */
function wildcardOf(name: WireName, zone: Zone): readonly DnsRecord[] {
  for (let at = parentOf(name); isAtOrBelow(at, zone.apex); at = parentOf(at)) {
    const found = zone.records.filter((one) => one.name === `\x01*${at}`)
    if (found.length > 0) return found.map((one) => ({ ...one, name }))
    if (zone.records.some((one) => isAtOrBelow(one.name, at)) || at === rootWireName) return []
  }
  return []
}

const rrsig = (covered: RecordType, signer: WireName): RdataOf<'RRSIG'> => ({
  type: 'RRSIG',
  covered: typeCodes[covered],
  algorithm: 13,
  labels: 2,
  originalTtlSeconds: 300,
  inception: Math.floor(Date.now() / 1000) - 86_400,
  expiration: Math.floor(Date.now() / 1000) + 20 * 86_400,
  keyTag: 1,
  signer,
  signature: Buffer.alloc(64, 1),
})

function recursive(query: Message, question: Question, zones: readonly Zone[], validates: boolean): Message {
  const right = { ...blank(query), recursionAvailable: true }
  const answers: DnsRecord[] = []
  let isSecure = validates
  let name = question.name
  for (let links = 0; links < 12; links++) {
    const zone = deepest(zones, { ...question, name })
    const isDead = zone?.words.state === 'dead'
    const isBogus = zone?.words.state === 'bogus' && validates && !query.checkingDisabled
    if (!zone || isDead || isBogus) {
      const options = isBogus ? [{ code: 15, data: Buffer.from([0, 6, ...Buffer.from('bogus')]) }] : []
      return { ...right, rcode: rcodes.servFail, edns: right.edns && { ...right.edns, options } }
    }
    isSecure &&= (zone.words.isSigned ?? true) && !query.checkingDisabled
    const part = lookUp({ ...question, name }, zone, false)
    answers.push(...part.answers)
    const alias = part.answers.find(({ data }) => data.type === 'CNAME')
    if (alias?.data.type !== 'CNAME' || question.type === typeCodes.CNAME)
      return { ...right, rcode: part.rcode, answers, authorities: part.authorities, authenticData: isSecure }
    name = alias.data.target
  }
  return { ...right, rcode: rcodes.servFail, answers }
}

function faulty(
  query: Message,
  question: Question,
  over: 'udp' | 'tcp',
  right: Message,
  fault: LabFault | undefined,
): Buffer | undefined {
  const change = fault?.(
    { type: typeName(question.type), name: nameText(foldName(question.name)), over, edns: query.edns !== undefined },
    right,
  )
  if (change === 'silence') return undefined
  const maxBytes = over === 'tcp' ? 65_535 : Math.max(512, query.edns?.udpBytes ?? 512)
  return encodeMessage({ ...right, ...change }, maxBytes)
}

type Answerer = (query: Message, question: Question, over: 'udp' | 'tcp') => Buffer | undefined

async function listen(t: TestContext, address: string, port: number, answer: Answerer): Promise<void> {
  const respond = (bytes: Buffer, over: 'udp' | 'tcp') => {
    const decoded = decodeMessage(bytes)
    const question = decoded.kind === 'message' ? decoded.message.questions[0] : undefined
    return decoded.kind === 'message' && question ? answer(decoded.message, question, over) : undefined
  }
  const udp: UdpSocket = createSocket(isIpv6(ip(address)) ? 'udp6' : 'udp4')
  udp.on('message', (bytes: Buffer, from: RemoteInfo) => {
    const reply = respond(bytes, 'udp')
    if (reply) udp.send(reply, from.port, from.address)
  })
  await new Promise<void>((resolve, reject) => udp.once('error', reject).bind(port, address, resolve))
  const sockets = new Set<Socket>()
  const tcp: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    let input = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      input = Buffer.concat([input, chunk])
      if (input.length < 2 || input.length < 2 + input.readUInt16BE(0)) return
      const reply = respond(input.subarray(2), 'tcp')
      if (!reply) return
      const length = Buffer.alloc(2)
      length.writeUInt16BE(reply.length)
      socket.write(Buffer.concat([length, reply]))
    })
  })
  await new Promise<void>((resolve, reject) => tcp.once('error', reject).listen(port, address, resolve))
  t.after(async () => {
    for (const socket of sockets) socket.destroy()
    await Promise.all([
      new Promise<void>((resolve) => udp.close(() => resolve())),
      new Promise<void>((resolve) => tcp.close(() => resolve())),
    ])
  })
}

/** A port that is free for both protocols at the first address; at the others, which are ours alone, it is as good as sure to be. */
async function commonPort(addresses: readonly string[]): Promise<number> {
  const [first = '127.0.0.1'] = addresses
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, first, resolve))
  const bound = server.address()
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return bound && typeof bound === 'object' ? bound.port : fail('a TCP server without a port')
}
