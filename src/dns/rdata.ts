/**
 * The data of records: a union on `type` of the ones that we know, and opaque octets for the rest (RFC 3597). Each type is described once,
 * for the octets of messages and the words of zone text alike (`rdata-form.ts`). Used by `message.ts` and `rdata-text.ts`; whoever looks at
 * records switches on `type`. Numbers are in the range of their field, else RangeError.
 */
import type { IpAddress } from '../base/ip.ts'
import type { RdataSink, RdataSource } from './rdata-form.ts'
import { type RecordType, typeCodes } from './types.ts'
import type { WireName } from './wire-name.ts'

export type Rdata =
  | { readonly type: 'A' | 'AAAA'; readonly address: IpAddress }
  | { readonly type: 'NS' | 'CNAME' | 'PTR' | 'DNAME'; readonly target: WireName }
  | Soa
  | { readonly type: 'MX'; readonly preference: number; readonly exchange: WireName }
  /** The strings as they are, each at most 255 octets; SPF and its kin join them. */
  | { readonly type: 'TXT'; readonly strings: readonly Buffer[] }
  | { readonly type: 'HINFO'; readonly cpu: Buffer; readonly os: Buffer }
  | {
      readonly type: 'SRV'
      readonly priority: number
      readonly weight: number
      readonly port: number
      readonly target: WireName
    }
  | {
      readonly type: 'DS'
      readonly keyTag: number
      readonly algorithm: number
      readonly digestType: number
      readonly digest: Buffer
    }
  | {
      readonly type: 'DNSKEY'
      readonly flags: number
      readonly protocol: number
      readonly algorithm: number
      readonly key: Buffer
    }
  | Rrsig
  /** `types`: the codes of the types at the owner, ascending. */
  | { readonly type: 'NSEC'; readonly next: WireName; readonly types: readonly number[] }
  | (Nsec3Parameters & { readonly type: 'NSEC3'; readonly nextHash: Buffer; readonly types: readonly number[] })
  | (Nsec3Parameters & { readonly type: 'NSEC3PARAM' })
  | {
      readonly type: 'TLSA'
      readonly usage: number
      readonly selector: number
      readonly matching: number
      readonly data: Buffer
    }
  | { readonly type: 'CAA'; readonly flags: number; readonly tag: string; readonly value: Buffer }
  /** Any other type, another class than IN, or no data at all, as in an update's prerequisites (RFC 2136 §2.4). */
  | { readonly type: 'opaque'; readonly code: number; readonly data: Buffer }

export interface Soa {
  readonly type: 'SOA'
  readonly primary: WireName
  readonly mailbox: WireName
  readonly serial: number
  readonly refreshSeconds: number
  readonly retrySeconds: number
  readonly expireSeconds: number
  /** The longest that a negative answer is kept (RFC 2308 §4). */
  readonly minimumSeconds: number
}

export interface Rrsig {
  readonly type: 'RRSIG'
  readonly covered: number
  readonly algorithm: number
  readonly labels: number
  readonly originalTtlSeconds: number
  /** Seconds since 1970, modulo 2^32 (RFC 4034 §3.1.5). */
  readonly expiration: number
  readonly inception: number
  readonly keyTag: number
  readonly signer: WireName
  readonly signature: Buffer
}

interface Nsec3Parameters {
  readonly algorithm: number
  readonly flags: number
  readonly iterations: number
  readonly salt: Buffer
}

/** The data of one type: `RdataOf<'MX'>`. `Rdata` puts types of equal shape together, so the type is narrowed here. */
export type RdataOf<T extends RecordType> = Rdata extends infer D
  ? D extends { readonly type: infer U }
    ? T extends U
      ? D & { readonly type: T }
      : never
    : never
  : never

interface Codec<T extends RecordType> {
  /** Reads all there is, and need not look whether the data stops there. */
  read(from: RdataSource): RdataOf<T>
  write(to: RdataSink, data: RdataOf<T>): void
}

/**
 * @param from  a message's octets, or words of zone text
 * @param code  the record's type; data that is shorter or longer than its type says fails the reader
 */
export function readRdata(from: RdataSource, code: number): Rdata {
  const type = typesByCode.get(code)
  return type === undefined ? { type: 'opaque', code, data: from.hex() } : codecs[type].read(from)
}

export function writeRdata(to: RdataSink, data: Rdata): void {
  if (data.type === 'opaque') to.hex(data.data)
  else (codecs[data.type] as Codec<RecordType>).write(to, data as RdataOf<RecordType>)
}

/** The number of the type of this data. */
export function rdataCode(data: Rdata): number {
  return data.type === 'opaque' ? data.code : typeCodes[data.type]
}

const typesByCode: ReadonlyMap<number, RecordType> = new Map(
  Object.entries(typeCodes).map(([type, code]) => [code, type as RecordType]),
)

// RFC 1035 §4.1.4 and RFC 3597 §4: only the types of RFC 1035 are compressed when written; SRV and those are read compressed.
const targetCodec = <T extends 'NS' | 'CNAME' | 'PTR' | 'DNAME'>(type: T, compress: boolean) => ({
  read: (from: RdataSource) => ({ type, target: from.name(compress) }),
  write: (to: RdataSink, data: { readonly target: WireName }) => to.name(data.target, compress),
})

const soa: Codec<'SOA'> = {
  read: (from) => ({
    type: 'SOA',
    primary: from.name(true),
    mailbox: from.name(true),
    serial: from.u32(),
    refreshSeconds: from.seconds(),
    retrySeconds: from.seconds(),
    expireSeconds: from.seconds(),
    minimumSeconds: from.seconds(),
  }),
  write(to, data) {
    to.name(data.primary, true)
    to.name(data.mailbox, true)
    to.u32(data.serial)
    to.seconds(data.refreshSeconds)
    to.seconds(data.retrySeconds)
    to.seconds(data.expireSeconds)
    to.seconds(data.minimumSeconds)
  },
}

const rrsig: Codec<'RRSIG'> = {
  read: (from) => ({
    type: 'RRSIG',
    covered: from.typeCode(),
    algorithm: from.algorithm(),
    labels: from.u8(),
    originalTtlSeconds: from.seconds(),
    expiration: from.time(),
    inception: from.time(),
    keyTag: from.u16(),
    signer: from.name(false),
    signature: from.base64(),
  }),
  write(to, data) {
    to.typeCode(data.covered)
    to.algorithm(data.algorithm)
    to.u8(data.labels)
    to.seconds(data.originalTtlSeconds)
    to.time(data.expiration)
    to.time(data.inception)
    to.u16(data.keyTag)
    to.name(data.signer, false)
    to.base64(data.signature)
  },
}

const readNsec3Parameters = (from: RdataSource): Nsec3Parameters => ({
  algorithm: from.u8(),
  flags: from.u8(),
  iterations: from.u16(),
  salt: from.salt(),
})

function writeNsec3Parameters(to: RdataSink, data: Nsec3Parameters): void {
  to.u8(data.algorithm)
  to.u8(data.flags)
  to.u16(data.iterations)
  to.salt(data.salt)
}

const codecs: { readonly [T in RecordType]: Codec<T> } = {
  A: {
    read: (from) => ({ type: 'A', address: from.ipv4() }),
    write: (to, data) => to.ipv4(data.address),
  },
  AAAA: {
    read: (from) => ({ type: 'AAAA', address: from.ipv6() }),
    write: (to, data) => to.ipv6(data.address),
  },
  NS: targetCodec('NS', true),
  CNAME: targetCodec('CNAME', true),
  PTR: targetCodec('PTR', true),
  DNAME: targetCodec('DNAME', false),
  SOA: soa,
  MX: {
    read: (from) => ({ type: 'MX', preference: from.u16(), exchange: from.name(true) }),
    write(to, data) {
      to.u16(data.preference)
      to.name(data.exchange, true)
    },
  },
  TXT: {
    read: (from) => ({ type: 'TXT', strings: from.characterStrings() }),
    write: (to, data) => to.characterStrings(data.strings),
  },
  HINFO: {
    read: (from) => ({ type: 'HINFO', cpu: from.characterString(), os: from.characterString() }),
    write(to, data) {
      to.characterString(data.cpu)
      to.characterString(data.os)
    },
  },
  SRV: {
    read: (from) => ({
      type: 'SRV',
      priority: from.u16(),
      weight: from.u16(),
      port: from.u16(),
      target: from.name(true),
    }),
    write(to, data) {
      to.u16(data.priority)
      to.u16(data.weight)
      to.u16(data.port)
      to.name(data.target, false)
    },
  },
  DS: {
    read: (from) => ({
      type: 'DS',
      keyTag: from.u16(),
      algorithm: from.algorithm(),
      digestType: from.u8(),
      digest: from.hex(),
    }),
    write(to, data) {
      to.u16(data.keyTag)
      to.algorithm(data.algorithm)
      to.u8(data.digestType)
      to.hex(data.digest)
    },
  },
  DNSKEY: {
    read: (from) => ({
      type: 'DNSKEY',
      flags: from.u16(),
      protocol: from.u8(),
      algorithm: from.algorithm(),
      key: from.base64(),
    }),
    write(to, data) {
      to.u16(data.flags)
      to.u8(data.protocol)
      to.algorithm(data.algorithm)
      to.base64(data.key)
    },
  },
  RRSIG: rrsig,
  NSEC: {
    read: (from) => ({ type: 'NSEC', next: from.name(false), types: from.typeBitmap() }),
    write(to, data) {
      to.name(data.next, false)
      to.typeBitmap(data.types)
    },
  },
  NSEC3: {
    read: (from) => ({
      type: 'NSEC3',
      ...readNsec3Parameters(from),
      nextHash: from.hash(),
      types: from.typeBitmap(),
    }),
    write(to, data) {
      writeNsec3Parameters(to, data)
      to.hash(data.nextHash)
      to.typeBitmap(data.types)
    },
  },
  NSEC3PARAM: {
    read: (from) => ({ type: 'NSEC3PARAM', ...readNsec3Parameters(from) }),
    write: writeNsec3Parameters,
  },
  TLSA: {
    read: (from) => ({
      type: 'TLSA',
      usage: from.u8(),
      selector: from.u8(),
      matching: from.u8(),
      data: from.hex(),
    }),
    write(to, data) {
      to.u8(data.usage)
      to.u8(data.selector)
      to.u8(data.matching)
      to.hex(data.data)
    },
  },
  CAA: {
    read: (from) => ({
      type: 'CAA',
      flags: from.u8(),
      tag: from.tag(),
      value: from.text(),
    }),
    write(to, data) {
      to.u8(data.flags)
      to.tag(data.tag)
      to.text(data.value)
    },
  },
}
