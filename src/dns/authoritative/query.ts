/**
 * Reads the octets of a query into a structure that is used again for the next one, so that a question costs no memory. Used by
 * `answer.ts` for every message that comes; takes linear time and never throws. RFC 1035 §4, RFC 6891, RFC 7873, RFC 8906, RFC 9619.
 */
import { metaTypeCodes } from '../types.ts'
import { createHashedName, type HashedName } from './name-table.ts'

/** What kind of message it is, before anybody looks at what it asks. */
export type Verdict =
  | 'query'
  | 'notify'
  /** No question, but a cookie: who asks wants one (RFC 7873 §5.4). */
  | 'cookie-only'
  | 'malformed'
  | 'unknown-opcode'
  /** No query at all: not to be answered. */
  | 'drop'

export interface Query {
  readonly name: HashedName
  /** Behind the question; 12 where there is none, or none that can be read. */
  questionEnd: number
  type: number
  class: number
  hasEdns: boolean
  /** Of the client; 0 without EDNS. */
  udpBytes: number
  ednsVersion: number
  dnssecOk: boolean
  /** Where the COOKIE option's data is, and its length; 0: none. */
  cookieAt: number
  cookieBytes: number
  /** Whether the last record is a TSIG (RFC 8945 §5.1). */
  isSigned: boolean
  /** The serial of the SOA in the authority section: what an IXFR has (RFC 1995 §3). */
  knownSerial: number | undefined
}

const headerBytes = 12
const cookieOption = 10
const soaType = 6
const ixfrType = 251
const opcodeQuery = 0
const opcodeNotify = 4
/** OPT and TSIG beside what a NOTIFY or an IXFR brings; more records only cost time. */
const mostRecords = 4

export function createQuery(): Query {
  return {
    ...{ name: createHashedName(), questionEnd: 0, type: 0, class: 0, hasEdns: false, udpBytes: 0, ednsVersion: 0 },
    ...{ dnssecOk: false, cookieAt: 0, cookieBytes: 0, isSigned: false, knownSerial: undefined },
  }
}

/** @param hash  reads a name, see `NameTable` */
export function readQuery(
  bytes: Uint8Array,
  into: Query,
  hash: (bytes: Uint8Array, at: number, into: HashedName) => boolean,
): Verdict {
  reset(into)
  if (bytes.length < headerBytes) return 'drop'
  const high = bytes[2] as number
  // QR: whoever answers answers would talk to another such server for ever.
  if (high & 0x80) return 'drop'
  const opcode = (high >> 3) & 15
  if (opcode !== opcodeQuery && opcode !== opcodeNotify) return 'unknown-opcode'
  const questions = u16(bytes, 4)
  // RFC 9619 §4: more than one question is an error.
  if (questions > 1) return 'malformed'
  let at = headerBytes
  if (questions === 1) {
    const { name } = into
    // RFC 1035 §4.1.4: nothing stands in front that the question could point to.
    if (!hash(bytes, at, name) || name.end + 4 > bytes.length) return 'malformed'
    into.type = u16(bytes, name.end)
    into.class = u16(bytes, name.end + 2)
    at = name.end + 4
    into.questionEnd = at
  }
  const others = u16(bytes, 6) + u16(bytes, 8)
  const additionals = u16(bytes, 10)
  if (others + additionals > mostRecords) return 'malformed'
  if (others + additionals > 0) {
    if (opcode === opcodeQuery && others > 0 && into.type !== ixfrType) return 'malformed'
    at = readRecords(bytes, at, others, additionals, into)
  }
  // Anything behind the message is no message.
  if (at !== bytes.length) return 'malformed'
  if (questions === 1) return opcode === opcodeNotify ? 'notify' : 'query'
  return opcode === opcodeQuery && into.cookieBytes > 0 ? 'cookie-only' : 'malformed'
}

function reset(into: Query): void {
  into.questionEnd = headerBytes
  into.type = 0
  into.class = 0
  into.hasEdns = false
  into.udpBytes = 0
  into.ednsVersion = 0
  into.dnssecOk = false
  into.cookieAt = 0
  into.cookieBytes = 0
  into.isSigned = false
  into.knownSerial = undefined
}

/** @returns where they end, or −1 */
function readRecords(bytes: Uint8Array, start: number, others: number, additionals: number, into: Query): number {
  let at = start
  for (let left = others + additionals; left > 0; left--) {
    const owner = at
    at = skipName(bytes, at)
    if (at < 0 || at + 10 > bytes.length) return -1
    const type = u16(bytes, at)
    const end = at + 10 + u16(bytes, at + 8)
    if (end > bytes.length) return -1
    const isAdditional = left <= additionals
    if (type === metaTypeCodes.OPT) {
      // RFC 6891 §6.1.1: once, at the root, in the additional section.
      if (into.hasEdns || !isAdditional || bytes[owner] !== 0) return -1
      if (!readOpt(bytes, at, end, into)) return -1
    } else if (type === metaTypeCodes.TSIG) {
      // RFC 8945 §5.1: the last of all.
      if (!isAdditional || left !== 1) return -1
      into.isSigned = true
    } else if (type === soaType && into.knownSerial === undefined && end - at >= 10 + 22) {
      into.knownSerial = u32(bytes, end - 20)
    }
    at = end
  }
  return at
}

/** @param at  behind the owner's name */
function readOpt(bytes: Uint8Array, at: number, end: number, into: Query): boolean {
  into.hasEdns = true
  into.udpBytes = u16(bytes, at + 2)
  into.ednsVersion = bytes[at + 5] as number
  into.dnssecOk = ((bytes[at + 6] as number) & 0x80) !== 0
  let option = at + 10
  while (option < end) {
    if (option + 4 > end) return false
    const code = u16(bytes, option)
    const length = u16(bytes, option + 2)
    const data = option + 4
    option = data + length
    if (option > end) return false
    if (code !== cookieOption || into.cookieBytes > 0) continue
    // RFC 7873 §5.2.2: any other length is an error.
    if (length !== 8 && (length < 16 || length > 40)) return false
    into.cookieAt = data
    into.cookieBytes = length
  }
  return true
}

/** @returns behind the name, or −1. Where a pointer leads is not looked at: of these names nobody wants to know. */
function skipName(bytes: Uint8Array, start: number): number {
  let at = start
  for (let labels = 0; labels < 128; labels++) {
    const length = bytes[at]
    if (length === undefined) return -1
    if (length === 0) return at + 1
    if (length >= 0xc0) return at + 2
    if (length > 63) return -1
    at += length + 1
  }
  return -1
}

const u16 = (bytes: Uint8Array, at: number) => ((bytes[at] as number) << 8) | (bytes[at + 1] as number)

const u32 = (bytes: Uint8Array, at: number) => u16(bytes, at) * 65_536 + u16(bytes, at + 2)
