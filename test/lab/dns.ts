/**
 * A small DNS server on loopback, UDP and TCP on one port, with faults on demand. It answers as a recursive server does that knows the whole
 * internet of the test: aliases followed, SOA with negative answers, NXDOMAIN for names that do not exist.
 */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram'
import { createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { type DnsRecord, decodeMessage, encodeMessage, type Message, type Question } from '../../src/dns/message.ts'
import type { Rdata } from '../../src/dns/rdata.ts'
import type { NameServer } from '../../src/dns/servers.ts'
import { classCodes, rcodes, typeName } from '../../src/dns/types.ts'
import { foldName, isAtOrBelow, nameText, rootWireName, type WireName } from '../../src/dns/wire-name.ts'
import { labAddress, labName } from './names.ts'
import { type LabRecords, recordsOf } from './records.ts'
import { framed } from './tcp-server.ts'

/** Names as presentation text, with or without a final dot; escapes as in zone text. */
export type LabZone = Readonly<Record<string, LabRecords>>

export type DnsFault =
  | 'servfail'
  | 'refused'
  | 'silence'
  /** NXDOMAIN, or no data, that no SOA vouches for (RFC 2308 §2.1, type 3; §2.2, type 3). */
  | 'bare-nxdomain'
  | 'bare-no-data'
  /** TC over UDP, the whole over TCP. */
  | 'truncate'
  /** TC over UDP, and no word over TCP. */
  | 'truncate-then-silence'
  | 'wrong-id'
  | 'wrong-question'
  /** The answer comes from another port. */
  | 'wrong-source'
  /** FORMERR to whatever has EDNS. */
  | 'no-edns'
  | 'garbage'
  /** The question comes back in upper case. */
  | 'upper-case'
  /** No answer until `release()`, which sends those that were kept. */
  | 'late'
  /** AD is set. */
  | 'authentic'

export interface DnsLab {
  readonly server: NameServer
  /** Each question that came, in order: `udp MX example.test.` */
  readonly asked: readonly string[]
  /** The source ports of the UDP questions. */
  readonly ports: readonly number[]
  readonly ids: readonly number[]
  /** Puts a fault on a question (`MX example.test`), on a name (`example.test`) or on all (`*`); undefined takes it away. */
  fault(what: string, fault: DnsFault | undefined): void
  /** Replaces what the names have. */
  set(zone: LabZone): void
  /** Sends the answers that `late` has kept. */
  release(): void
  stop(): Promise<void>
}

/** @param t  the test that it ends with */
export async function startDns(t: TestContext, zone: LabZone): Promise<DnsLab> {
  const { udp, tcp, port } = await bindBoth()
  const stranger = createSocket('udp4')
  const faults = new Map<string, DnsFault>()
  const asked: string[] = []
  const ports: number[] = []
  const ids: number[] = []
  const kept: (() => void)[] = []
  const sockets = new Set<Socket>()
  let nodes = readZone(zone)

  const faultFor = (question: Question): DnsFault | undefined => {
    const name = nameText(foldName(question.name))
    return faults.get(`${typeName(question.type)} ${name}`) ?? faults.get(name) ?? faults.get('*')
  }
  const answer = (bytes: Buffer, over: 'udp' | 'tcp', send: (reply: Buffer, from: UdpSocket) => void) => {
    const decoded = decodeMessage(bytes)
    const question = decoded.kind === 'message' ? decoded.message.questions[0] : undefined
    if (decoded.kind !== 'message' || !question) return
    asked.push(`${over} ${typeName(question.type)} ${nameText(question.name)}`)
    ids.push(decoded.message.id)
    const fault = faultFor(question)
    const reply = respond(decoded.message, question, nodes, fault, over)
    if (!reply) return
    const say = () => send(reply, fault === 'wrong-source' ? stranger : udp)
    if (fault === 'late') kept.push(say)
    else say()
  }

  udp.on('message', (bytes: Buffer, from: RemoteInfo) => {
    ports.push(from.port)
    answer(bytes, 'udp', (reply, socket) => socket.send(reply, from.port, from.address))
  })
  tcp.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    let input = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      input = Buffer.concat([input, chunk])
      if (input.length < 2 || input.length < 2 + input.readUInt16BE(0)) return
      answer(input.subarray(2), 'tcp', (reply) => {
        const octets = framed(reply)
        // The first one alone, as TCP may bring it.
        socket.setNoDelay(true)
        socket.write(octets.subarray(0, 1))
        socket.write(octets.subarray(1))
      })
    })
  })

  let isStopped = false
  const stop = async () => {
    if (isStopped) return
    isStopped = true
    for (const socket of sockets) socket.destroy()
    stranger.close()
    await Promise.all([
      new Promise<void>((resolve) => udp.close(() => resolve())),
      new Promise<void>((resolve) => tcp.close(() => resolve())),
    ])
  }
  t.after(stop)
  return {
    server: { address: labAddress('127.0.0.1'), port },
    asked,
    ports,
    ids,
    fault(what, fault) {
      const [type, name] = what.includes(' ') ? what.split(' ') : ['', what]
      const key = name === '*' ? '*' : `${type ? `${type} ` : ''}${nameText(foldName(labName(name ?? '')))}`
      if (fault) faults.set(key, fault)
      else faults.delete(key)
    },
    set(next) {
      nodes = readZone(next)
    },
    release() {
      for (const say of kept.splice(0)) say()
    },
    stop,
  }
}

interface Node {
  readonly name: WireName
  readonly records: readonly DnsRecord[]
}

function readZone(zone: LabZone): ReadonlyMap<string, Node> {
  const nodes = new Map<string, Node>()
  for (const [text, node] of Object.entries(zone)) {
    const name = labName(text)
    nodes.set(foldName(name), { name, records: recordsOf(name, node) })
  }
  return nodes
}

function respond(
  query: Message,
  question: Question,
  nodes: ReadonlyMap<string, Node>,
  fault: DnsFault | undefined,
  over: 'udp' | 'tcp',
): Buffer | undefined {
  if (fault === 'silence' || (fault === 'truncate-then-silence' && over === 'tcp')) return undefined
  const blank: Message = {
    ...query,
    isResponse: true,
    recursionAvailable: true,
    authenticData: fault === 'authentic',
    additionals: [],
    edns: query.edns && { udpBytes: 1232, version: 0, dnssecOk: false, options: [] },
  }
  const maxBytes = over === 'tcp' ? 65_535 : Math.max(512, query.edns?.udpBytes ?? 512)
  if (fault === 'servfail') return encodeMessage({ ...blank, rcode: rcodes.servFail })
  if (fault === 'bare-nxdomain') return encodeMessage({ ...blank, rcode: rcodes.nxDomain })
  if (fault === 'bare-no-data') return encodeMessage(blank)
  if (fault === 'refused') return encodeMessage({ ...blank, rcode: rcodes.refused })
  if (fault === 'no-edns' && query.edns)
    return encodeMessage({ ...blank, rcode: rcodes.formErr, edns: undefined, questions: [] })
  if (fault === 'truncate' || fault === 'truncate-then-silence') {
    if (over === 'udp') return encodeMessage({ ...blank, truncated: true })
  }
  if (fault === 'wrong-question') {
    const questions = [{ ...question, name: labName(`x${nameText(question.name)}`) }]
    return encodeMessage({ ...blank, questions })
  }
  const reply = encodeMessage({ ...blank, ...lookUp(question, nodes) }, maxBytes)
  if (fault === 'wrong-id') reply.writeUInt16BE(query.id ^ 0x5555, 0)
  if (fault === 'garbage') reply.writeUInt16BE(200, 6)
  if (fault === 'upper-case') {
    const end = 12 + question.name.length
    reply.set(Buffer.from(reply.toString('latin1', 12, end).toUpperCase(), 'latin1'), 12)
  }
  return reply
}

type Answer = Pick<Message, 'rcode' | 'answers' | 'authorities'>

function lookUp(question: Question, nodes: ReadonlyMap<string, Node>): Answer {
  const answers: DnsRecord[] = []
  let owner = question.name
  for (let aliases = 0; aliases < 20; aliases++) {
    const node = nodes.get(foldName(owner))
    const wanted = node?.records.filter((record) => typeName(question.type) === record.data.type) ?? []
    if (wanted.length > 0) return { rcode: rcodes.noError, answers: [...answers, ...wanted], authorities: [] }
    const alias = node?.records.find((record) => record.data.type === 'CNAME')
    if (alias?.data.type !== 'CNAME') {
      const ttlSeconds = node?.records[0]?.ttlSeconds ?? 300
      // RFC 8020: a name below which others exist, exists.
      const exists = node !== undefined || [...nodes.values()].some(({ name }) => isAtOrBelow(name, owner))
      return { rcode: exists ? rcodes.noError : rcodes.nxDomain, answers, authorities: [soa(ttlSeconds)] }
    }
    answers.push(alias)
    owner = alias.data.target
  }
  // What a recursive server does that follows a loop: it stops somewhere.
  return { rcode: rcodes.noError, answers, authorities: [] }
}

function soa(ttlSeconds: number): DnsRecord {
  const times = {
    serial: 1,
    refreshSeconds: 3600,
    retrySeconds: 600,
    expireSeconds: 86_400,
    minimumSeconds: ttlSeconds,
  }
  const data: Rdata = { type: 'SOA', primary: labName('ns.lab'), mailbox: labName('hostmaster.lab'), ...times }
  return { name: rootWireName, class: classCodes.IN, ttlSeconds, data }
}

/** A port that both protocols get: the system chooses one for UDP, and TCP may find it taken. */
async function bindBoth(): Promise<{ udp: UdpSocket; tcp: Server; port: number }> {
  for (let tries = 0; ; tries++) {
    const udp = createSocket('udp4')
    await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', () => resolve()))
    const { port } = udp.address()
    const tcp = createServer()
    const failure = await new Promise<Error | undefined>((resolve) => {
      tcp.once('error', resolve)
      tcp.listen(port, '127.0.0.1', () => resolve(undefined))
    })
    if (!failure) return { udp, tcp, port }
    udp.close()
    if (tries >= 20) throw failure
  }
}
