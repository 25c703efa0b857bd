/**
 * Writes a DNS message into one growing buffer, compressing names (RFC 1035 §4.1.4). Used by `message.ts` and, through `rdata-form.ts`, by `rdata.ts`.
 * Values out of range are bugs of the caller: RangeError.
 */
import { type IpAddress, ipBytes, isIpv6 } from '../base/ip.ts'
import type { RdataSink } from './rdata-form.ts'
import { rootWireName, type WireName } from './wire-name.ts'

/** Pointers have 14 bits. */
const maxPointerTarget = 0x3fff

const mappedPrefix = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff)

export class Writer implements RdataSink {
  readonly #mayCompress: boolean
  #bytes = Buffer.allocUnsafe(512)
  /** Where each name, and each end of a name, already stands. By exact octets: nobody's case is changed. */
  readonly #places = new Map<string, number>()
  at = 0
  /** Where each pointer stands, for whoever moves what was written. */
  readonly pointers: number[] = []

  /** @param mayCompress  false for data that stands outside of a message */
  constructor(mayCompress = true) {
    this.#mayCompress = mayCompress
  }

  u8(value: number): void {
    this.#room(1)
    this.at = this.#bytes.writeUInt8(value, this.at)
  }

  u16(value: number): void {
    this.#room(2)
    this.at = this.#bytes.writeUInt16BE(value, this.at)
  }

  u32(value: number): void {
    this.#room(4)
    this.at = this.#bytes.writeUInt32BE(value, this.at)
  }

  octets(octets: Uint8Array): void {
    this.#room(octets.length)
    this.#bytes.set(octets, this.at)
    this.at += octets.length
  }

  characterString(octets: Uint8Array): void {
    this.u8(octets.length)
    this.octets(octets)
  }

  /** @param compress  whether this place allows a pointer, and may be pointed to */
  name(name: WireName, compress: boolean): void {
    this.#room(name.length)
    if (!compress || !this.#mayCompress || name === rootWireName) {
      this.at += this.#bytes.write(name, this.at, 'latin1')
      return
    }
    const begin = this.at
    for (let start = 0; start < name.length - 1; start += 1 + name.charCodeAt(start)) {
      const end = name.slice(start)
      const place = this.#places.get(end)
      if (place !== undefined) {
        this.at = begin + this.#bytes.write(name.slice(0, start), begin, 'latin1')
        this.pointers.push(this.at)
        this.u16(0xc000 | place)
        return
      }
      if (begin + start <= maxPointerTarget) this.#places.set(end, begin + start)
    }
    this.at = begin + this.#bytes.write(name, begin, 'latin1')
  }

  seconds(value: number): void {
    this.u32(value)
  }

  time(value: number): void {
    this.u32(value)
  }

  typeCode(value: number): void {
    this.u16(value)
  }

  algorithm(value: number): void {
    this.u8(value)
  }

  ipv4(address: IpAddress): void {
    this.octets(ipBytes(address))
  }

  ipv6(address: IpAddress): void {
    // The canonical text of a v4-mapped address is the IPv4 one (base/ip).
    if (!isIpv6(address)) this.octets(mappedPrefix)
    this.octets(ipBytes(address))
  }

  characterStrings(strings: readonly Uint8Array[]): void {
    for (const string of strings) this.characterString(string)
  }

  tag(tag: string): void {
    this.characterString(Buffer.from(tag, 'latin1'))
  }

  text(octets: Uint8Array): void {
    this.octets(octets)
  }

  hex(octets: Uint8Array): void {
    this.octets(octets)
  }

  base64(octets: Uint8Array): void {
    this.octets(octets)
  }

  salt(octets: Uint8Array): void {
    this.characterString(octets)
  }

  hash(octets: Uint8Array): void {
    this.characterString(octets)
  }

  /** RFC 4034 §4.1.2. */
  typeBitmap(types: readonly number[]): void {
    const blocks = new Map<number, number[]>()
    for (const type of [...new Set(types)].sort((a, b) => a - b)) {
      const bits = blocks.get(type >> 8) ?? []
      const index = (type & 255) >> 3
      while (bits.length <= index) bits.push(0)
      bits[index] = (bits[index] ?? 0) | (0x80 >> (type & 7))
      blocks.set(type >> 8, bits)
    }
    for (const [block, bits] of blocks) {
      this.u8(block)
      this.characterString(Uint8Array.from(bits))
    }
  }

  /** Leaves room for the length of what follows. @returns what `endSized` takes */
  beginSized(): number {
    this.u16(0)
    return this.at
  }

  /** Writes how long it became. @param start  what `beginSized` returned */
  endSized(start: number): void {
    this.patchU16(start - 2, this.at - start)
  }

  /** Overwrites two octets that were written before. */
  patchU16(at: number, value: number): void {
    this.#bytes.writeUInt16BE(value, at)
  }

  /** What was written, as the writer's own memory: the writer is not used after this. */
  done(): Buffer {
    return this.#bytes.subarray(0, this.at)
  }

  #room(count: number): void {
    if (this.at + count <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.at + count))
    this.#bytes.copy(larger, 0, 0, this.at)
    this.#bytes = larger
  }
}
