/**
 * DNS messages as values, to octets and back (RFC 1035 §4, RFC 6891 for EDNS). Decoding never throws and takes linear time,
 * whatever comes. Used by the transports, the resolver and the servers of tests.
 */
import { type Rdata, rdataCode, readRdata, writeRdata } from './rdata.ts'
import { Reader } from './reader.ts'
import { classCodes, metaTypeCodes, rcodes } from './types.ts'
import { rootWireName, type WireName } from './wire-name.ts'
import { Writer } from './writer.ts'

export interface Question {
  readonly name: WireName
  /** The code, so that any type can be asked for. */
  readonly type: number
  readonly class: number
}

export interface DnsRecord<D extends Rdata = Rdata> {
  readonly name: WireName
  readonly class: number
  /** 0 to 2^31 − 1. */
  readonly ttlSeconds: number
  readonly data: D
}

export interface Edns {
  /** The largest UDP message that its sender takes, octets. */
  readonly udpBytes: number
  readonly version: number
  readonly dnssecOk: boolean
  readonly options: readonly { readonly code: number; readonly data: Buffer }[]
}

export interface Message {
  readonly id: number
  readonly isResponse: boolean
  readonly opcode: number
  readonly authoritative: boolean
  readonly truncated: boolean
  readonly recursionDesired: boolean
  readonly recursionAvailable: boolean
  /** AD (RFC 6840 §5.7): in a query, "I understand it"; in an answer, "validated". */
  readonly authenticData: boolean
  readonly checkingDisabled: boolean
  /** With the upper bits that EDNS adds: 0–4095. */
  readonly rcode: number
  readonly questions: readonly Question[]
  readonly answers: readonly DnsRecord[]
  readonly authorities: readonly DnsRecord[]
  /** Without OPT, which is `edns`. */
  readonly additionals: readonly DnsRecord[]
  readonly edns: Edns | undefined
}

export type Decoded =
  | { readonly kind: 'message'; readonly message: Message }
  /** `why` is for logs: words of ours and numbers only. */
  | { readonly kind: 'malformed'; readonly why: string }

/** A query for one name and type that asks a recursive server, and says with AD that we read AD. */
export function query(name: WireName, type: number, id: number, edns: Edns | undefined): Message {
  return {
    id,
    isResponse: false,
    opcode: 0,
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: false,
    authenticData: true,
    checkingDisabled: false,
    rcode: 0,
    questions: [{ name, type, class: classCodes.IN }],
    answers: [],
    authorities: [],
    additionals: [],
    edns,
  }
}

/**
 * The same as octets, with id 0: what `encodeMessage` makes of `query`, for one that is asked a hundred thousand times.
 * @param edns  without options
 */
export function encodeQuery(name: WireName, type: number, edns: Edns | undefined): Buffer {
  const questionEnd = headerBytes + name.length + 4
  // From the pool: memory of its own for each costs more than all else here.
  const bytes = Buffer.allocUnsafe(questionEnd + (edns ? plainOptBytes : 0))
  for (let at = 0; at < headerBytes; at++) bytes[at] = 0
  bytes[2] = 0x01 // RD
  bytes[3] = 0x20 // AD
  bytes[5] = 1
  // Octet by octet: for so few, a call of the buffer's own costs more.
  for (let at = 0; at < name.length; at++) bytes[headerBytes + at] = name.charCodeAt(at)
  bytes.writeUInt16BE(type, questionEnd - 4)
  bytes.writeUInt16BE(classCodes.IN, questionEnd - 2)
  if (!edns) return bytes
  bytes[11] = 1
  for (let at = questionEnd; at < bytes.length; at++) bytes[at] = 0
  bytes[questionEnd + 2] = metaTypeCodes.OPT
  bytes.writeUInt16BE(edns.udpBytes, questionEnd + 3)
  bytes[questionEnd + 6] = edns.version
  bytes[questionEnd + 7] = edns.dnssecOk ? 0x80 : 0
  return bytes
}

const headerBytes = 12
const plainOptBytes = 11

/** Whether a response says that EDNS was not understood, so that it is asked without. */
export function refusesEdns({ rcode, edns }: Message): boolean {
  // RFC 6891 §6.1.3, §7: who answers with OPT has understood it, and complains of something else.
  return rcode === rcodes.badVers || (!edns && (rcode === rcodes.formErr || rcode === rcodes.notImp))
}

export function decodeMessage(bytes: Buffer): Decoded {
  const reader = new Reader(bytes)
  const id = reader.u16()
  const flags = reader.u16()
  const counts = [reader.u16(), reader.u16(), reader.u16(), reader.u16()] as const
  const questions: Question[] = []
  for (let left = counts[0]; left > 0 && !reader.why; left--) {
    questions.push({ name: reader.name(true), type: reader.u16(), class: reader.u16() })
  }
  const answers = readRecords(reader, counts[1])
  const authorities = readRecords(reader, counts[2])
  const additionals = readRecords(reader, counts[3])
  const opt = answers.opt ?? authorities.opt
  if (opt) reader.fail('OPT stands outside of the additional section') // RFC 6891 §6.1.1
  if (reader.why !== undefined) return { kind: 'malformed', why: reader.why }
  const edns = additionals.opt
  return {
    kind: 'message',
    message: {
      id,
      isResponse: (flags & 0x8000) !== 0,
      opcode: (flags >> 11) & 15,
      authoritative: (flags & 0x400) !== 0,
      truncated: (flags & tcBit) !== 0,
      recursionDesired: (flags & 0x100) !== 0,
      recursionAvailable: (flags & 0x80) !== 0,
      authenticData: (flags & 0x20) !== 0,
      checkingDisabled: (flags & 0x10) !== 0,
      rcode: (flags & 15) | ((edns?.rcodeHigh ?? 0) << 4),
      questions,
      answers: answers.records,
      authorities: authorities.records,
      additionals: additionals.records,
      edns: edns?.edns,
    },
  }
}

interface Opt {
  readonly edns: Edns
  readonly rcodeHigh: number
}

/** Every record takes eleven octets at least, so that the count alone costs nothing. */
function readRecords(reader: Reader, count: number): { records: DnsRecord[]; opt: Opt | undefined } {
  const records: DnsRecord[] = []
  let opt: Opt | undefined
  const messageEnd = reader.end
  for (let left = count; left > 0 && !reader.why; left--) {
    const name = reader.name(true)
    const type = reader.u16()
    const recordClass = reader.u16()
    const ttl = reader.u32()
    const length = reader.u16()
    if (length > reader.left) reader.fail("a record's data ends behind the message")
    if (reader.why) break
    const dataEnd = reader.at + length
    reader.end = dataEnd
    if (type === metaTypeCodes.OPT) {
      if (opt || name !== rootWireName) reader.fail('OPT stands twice, or not at the root') // RFC 6891 §6.1.1
      opt = readOpt(reader, recordClass, ttl)
    } else {
      records.push({ name, class: recordClass, ttlSeconds: saneTtl(ttl), data: readData(reader, type, recordClass) })
    }
    if (reader.at !== dataEnd) reader.fail("a record's data is longer than its type says")
    reader.end = messageEnd
  }
  return { records, opt }
}

/** What the types of RFC 1035 mean in other classes than IN is not ours to know. */
function readData(reader: Reader, code: number, recordClass: number): Rdata {
  const isUpdate = recordClass === classCodes.NONE || recordClass === classCodes.ANY
  if (recordClass === classCodes.IN || (isUpdate && reader.left > 0)) return readRdata(reader, code)
  return { type: 'opaque', code, data: reader.rest() }
}

/** RFC 2181 §8: a TTL with its highest bit set counts as 0. */
const saneTtl = (ttl: number) => (ttl > 0x7fffffff ? 0 : ttl)

/** RFC 6891 §6.1.2, §6.1.3: class and TTL carry what the header has no room for. */
function readOpt(reader: Reader, udpBytes: number, ttl: number): Opt {
  const options: { code: number; data: Buffer }[] = []
  while (reader.left > 0) {
    const code = reader.u16()
    options.push({ code, data: reader.octets(reader.u16()) })
  }
  const version = (ttl >>> 16) & 255
  return { edns: { udpBytes, version, dnssecOk: (ttl & 0x8000) !== 0, options }, rcodeHigh: ttl >>> 24 }
}

/**
 * The message as octets. Records that do not fit are left out from the first of them on; unless they were additional, TC is set (RFC 2181 §9).
 * @param maxBytes  12–65535
 */
export function encodeMessage(message: Message, maxBytes = 65_535): Buffer {
  const writer = new Writer()
  writer.u16(message.id)
  writer.u16(0)
  writer.u16(message.questions.length)
  for (let section = 0; section < 3; section++) writer.u16(0)
  for (const question of message.questions) {
    writer.name(question.name, true)
    writer.u16(question.type)
    writer.u16(question.class)
  }
  const room = maxBytes - (message.edns ? optBytes(message.edns) : 0)
  const answers = writeRecords(writer, message.answers, room)
  const hasAnswers = answers === message.answers.length
  const authorities = hasAnswers ? writeRecords(writer, message.authorities, room) : 0
  const isWhole = hasAnswers && authorities === message.authorities.length
  const additionals = isWhole ? writeRecords(writer, message.additionals, room) : 0
  if (message.edns) writeOpt(writer, message.edns, message.rcode >> 4)
  writer.patchU16(2, flagsOf(message) | (isWhole ? 0 : tcBit))
  writer.patchU16(6, answers)
  writer.patchU16(8, authorities)
  writer.patchU16(10, additionals + (message.edns ? 1 : 0))
  return writer.done()
}

const tcBit = 0x200

function flagsOf(message: Message): number {
  return (
    (message.isResponse ? 0x8000 : 0) |
    (message.opcode << 11) |
    (message.authoritative ? 0x400 : 0) |
    (message.truncated ? tcBit : 0) |
    (message.recursionDesired ? 0x100 : 0) |
    (message.recursionAvailable ? 0x80 : 0) |
    (message.authenticData ? 0x20 : 0) |
    (message.checkingDisabled ? 0x10 : 0) |
    (message.rcode & 15)
  )
}

/** @returns how many of them fit */
function writeRecords(writer: Writer, records: readonly DnsRecord[], room: number): number {
  for (const [index, record] of records.entries()) {
    const recordAt = writer.at
    writer.name(record.name, true)
    writer.u16(rdataCode(record.data))
    writer.u16(record.class)
    writer.u32(record.ttlSeconds)
    const dataAt = writer.beginSized()
    writeRdata(writer, record.data)
    if (writer.at > room) {
      writer.at = recordAt
      return index
    }
    writer.endSized(dataAt)
  }
  return records.length
}

const optBytes = (edns: Edns) => edns.options.reduce((sum, option) => sum + 4 + option.data.length, 11)

function writeOpt(writer: Writer, edns: Edns, rcodeHigh: number): void {
  writer.name(rootWireName, false)
  writer.u16(metaTypeCodes.OPT)
  writer.u16(edns.udpBytes)
  writer.u8(rcodeHigh)
  writer.u8(edns.version)
  writer.u16(edns.dnssecOk ? 0x8000 : 0)
  writer.u16(optBytes(edns) - 11)
  for (const option of edns.options) {
    writer.u16(option.code)
    writer.u16(option.data.length)
    writer.octets(option.data)
  }
}
