/**
 * The data of records: a union on `type` of the ones that we know, and opaque octets for the rest (RFC 3597).
 * Used by `message.ts`; whoever looks at records switches on `type`. Numbers are in the range of their field, else RangeError.
 */
import { type IpAddress, ipBytes, ipFromBytes, isIpv6 } from '../base/ip.ts'
import type { Reader } from './reader.ts'
import { type RecordType, typeCodes } from './types.ts'
import type { WireName } from './wire-name.ts'
import type { Writer } from './writer.ts'

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
  /** Reads up to `reader.end`, and need not look whether it stops there. */
  read(reader: Reader): RdataOf<T>
  write(writer: Writer, data: RdataOf<T>): void
}

/** @param code  the record's type; data that is shorter or longer than its type says fails the reader */
export function readRdata(reader: Reader, code: number): Rdata {
  const type = typesByCode.get(code)
  return type === undefined ? { type: 'opaque', code, data: reader.rest() } : codecs[type].read(reader)
}

export function writeRdata(writer: Writer, data: Rdata): void {
  if (data.type === 'opaque') writer.octets(data.data)
  else (codecs[data.type] as Codec<RecordType>).write(writer, data as RdataOf<RecordType>)
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
  read: (reader: Reader) => ({ type, target: reader.name(compress) }),
  write: (writer: Writer, data: { readonly target: WireName }) => writer.name(data.target, compress),
})

const soa: Codec<'SOA'> = {
  read: (reader) => ({
    type: 'SOA',
    primary: reader.name(true),
    mailbox: reader.name(true),
    serial: reader.u32(),
    refreshSeconds: reader.u32(),
    retrySeconds: reader.u32(),
    expireSeconds: reader.u32(),
    minimumSeconds: reader.u32(),
  }),
  write(writer, data) {
    writer.name(data.primary, true)
    writer.name(data.mailbox, true)
    for (const value of [data.serial, data.refreshSeconds, data.retrySeconds, data.expireSeconds, data.minimumSeconds])
      writer.u32(value)
  },
}

const rrsig: Codec<'RRSIG'> = {
  read: (reader) => ({
    type: 'RRSIG',
    covered: reader.u16(),
    algorithm: reader.u8(),
    labels: reader.u8(),
    originalTtlSeconds: reader.u32(),
    expiration: reader.u32(),
    inception: reader.u32(),
    keyTag: reader.u16(),
    signer: reader.name(false),
    signature: reader.rest(),
  }),
  write(writer, data) {
    writer.u16(data.covered)
    writer.u8(data.algorithm)
    writer.u8(data.labels)
    writer.u32(data.originalTtlSeconds)
    writer.u32(data.expiration)
    writer.u32(data.inception)
    writer.u16(data.keyTag)
    writer.name(data.signer, false)
    writer.octets(data.signature)
  },
}

const readNsec3Parameters = (reader: Reader): Nsec3Parameters => ({
  algorithm: reader.u8(),
  flags: reader.u8(),
  iterations: reader.u16(),
  salt: reader.characterString(),
})

function writeNsec3Parameters(writer: Writer, data: Nsec3Parameters): void {
  writer.u8(data.algorithm)
  writer.u8(data.flags)
  writer.u16(data.iterations)
  writer.characterString(data.salt)
}

const codecs: { readonly [T in RecordType]: Codec<T> } = {
  A: {
    read: (reader) => ({ type: 'A', address: ipFromBytes(reader.peek(4)) }),
    write: (writer, data) => writer.octets(ipBytes(data.address)),
  },
  AAAA: {
    read: (reader) => ({ type: 'AAAA', address: ipFromBytes(reader.peek(16)) }),
    write(writer, data) {
      // The canonical text of a v4-mapped address is the IPv4 one (base/ip).
      if (!isIpv6(data.address)) writer.octets(mappedPrefix)
      writer.octets(ipBytes(data.address))
    },
  },
  NS: targetCodec('NS', true),
  CNAME: targetCodec('CNAME', true),
  PTR: targetCodec('PTR', true),
  DNAME: targetCodec('DNAME', false),
  SOA: soa,
  MX: {
    read: (reader) => ({ type: 'MX', preference: reader.u16(), exchange: reader.name(true) }),
    write(writer, data) {
      writer.u16(data.preference)
      writer.name(data.exchange, true)
    },
  },
  TXT: {
    read(reader) {
      const strings: Buffer[] = []
      while (reader.left > 0) strings.push(reader.characterString())
      return { type: 'TXT', strings }
    },
    write(writer, data) {
      for (const string of data.strings) writer.characterString(string)
    },
  },
  HINFO: {
    read: (reader) => ({ type: 'HINFO', cpu: reader.characterString(), os: reader.characterString() }),
    write(writer, data) {
      writer.characterString(data.cpu)
      writer.characterString(data.os)
    },
  },
  SRV: {
    read: (reader) => ({
      type: 'SRV',
      priority: reader.u16(),
      weight: reader.u16(),
      port: reader.u16(),
      target: reader.name(true),
    }),
    write(writer, data) {
      writer.u16(data.priority)
      writer.u16(data.weight)
      writer.u16(data.port)
      writer.name(data.target, false)
    },
  },
  DS: {
    read: (reader) => ({
      type: 'DS',
      keyTag: reader.u16(),
      algorithm: reader.u8(),
      digestType: reader.u8(),
      digest: reader.rest(),
    }),
    write(writer, data) {
      writer.u16(data.keyTag)
      writer.u8(data.algorithm)
      writer.u8(data.digestType)
      writer.octets(data.digest)
    },
  },
  DNSKEY: {
    read: (reader) => ({
      type: 'DNSKEY',
      flags: reader.u16(),
      protocol: reader.u8(),
      algorithm: reader.u8(),
      key: reader.rest(),
    }),
    write(writer, data) {
      writer.u16(data.flags)
      writer.u8(data.protocol)
      writer.u8(data.algorithm)
      writer.octets(data.key)
    },
  },
  RRSIG: rrsig,
  NSEC: {
    read: (reader) => ({ type: 'NSEC', next: reader.name(false), types: readTypeBitmap(reader) }),
    write(writer, data) {
      writer.name(data.next, false)
      writeTypeBitmap(writer, data.types)
    },
  },
  NSEC3: {
    read: (reader) => ({
      type: 'NSEC3',
      ...readNsec3Parameters(reader),
      nextHash: reader.characterString(),
      types: readTypeBitmap(reader),
    }),
    write(writer, data) {
      writeNsec3Parameters(writer, data)
      writer.characterString(data.nextHash)
      writeTypeBitmap(writer, data.types)
    },
  },
  NSEC3PARAM: {
    read: (reader) => ({ type: 'NSEC3PARAM', ...readNsec3Parameters(reader) }),
    write: writeNsec3Parameters,
  },
  TLSA: {
    read: (reader) => ({
      type: 'TLSA',
      usage: reader.u8(),
      selector: reader.u8(),
      matching: reader.u8(),
      data: reader.rest(),
    }),
    write(writer, data) {
      writer.u8(data.usage)
      writer.u8(data.selector)
      writer.u8(data.matching)
      writer.octets(data.data)
    },
  },
  CAA: {
    read: (reader) => ({
      type: 'CAA',
      flags: reader.u8(),
      tag: reader.characterString().toString('latin1'),
      value: reader.rest(),
    }),
    write(writer, data) {
      writer.u8(data.flags)
      writer.characterString(Buffer.from(data.tag, 'latin1'))
      writer.octets(data.value)
    },
  },
}

const mappedPrefix = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff)

/** RFC 4034 §4.1.2: blocks of 256 types in ascending order, each 1–32 octets of bits. */
function readTypeBitmap(reader: Reader): number[] {
  const types: number[] = []
  let lastBlock = -1
  while (reader.left > 0) {
    const block = reader.u8()
    const length = reader.u8()
    if (block <= lastBlock || length < 1 || length > 32) {
      reader.fail('a type bitmap is out of order or has a block of wrong length')
      return types
    }
    lastBlock = block
    reader.peek(length).forEach((octet, index) => {
      for (let bit = 0; bit < 8; bit++) if (octet & (0x80 >> bit)) types.push(block * 256 + index * 8 + bit)
    })
  }
  return types
}

function writeTypeBitmap(writer: Writer, types: readonly number[]): void {
  const blocks = new Map<number, number[]>()
  for (const type of [...new Set(types)].sort((a, b) => a - b)) {
    const bits = blocks.get(type >> 8) ?? []
    const index = (type & 255) >> 3
    while (bits.length <= index) bits.push(0)
    bits[index] = (bits[index] ?? 0) | (0x80 >> (type & 7))
    blocks.set(type >> 8, bits)
  }
  for (const [block, bits] of blocks) {
    writer.u8(block)
    writer.characterString(Uint8Array.from(bits))
  }
}
