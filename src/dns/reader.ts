/**
 * Reads a DNS message octet by octet and never throws: what is not there is read as zero, and `why` then says what was wrong first.
 * Whoever loops asks `why` in each round. Used by `message.ts` and, through `rdata-form.ts`, by `rdata.ts`. RFC 1035 §4.1.
 */
import { type IpAddress, ipFromBytes } from '../base/ip.ts'
import type { RdataSource } from './rdata-form.ts'
import { maxNameOctets, rootWireName, type WireName } from './wire-name.ts'

/** Legitimate names have at most 127 labels, so a chain of more pointers than that is an attack. */
const maxPointers = 127

const noOctets = Buffer.alloc(0)

export class Reader implements RdataSource {
  readonly #bytes: Buffer
  readonly #mayCompress: boolean
  /** Names that a pointer has led to, by offset: the owner of a thousand records is read once. */
  #pointedAt: Map<number, string> | undefined
  at = 0
  /** Where reading must stop: the end of the message, or of the record's data while that is read. */
  end: number
  /** What was wrong, once something was. */
  why: string | undefined

  /** @param mayCompress  false for data that comes from outside of a message (RFC 3597 §5) */
  constructor(bytes: Buffer, mayCompress = true) {
    this.#bytes = bytes
    this.#mayCompress = mayCompress
    this.end = bytes.length
  }

  /** Notes the first failure, and moves to the end so that every loop stops. */
  fail(why: string): void {
    this.why ??= `${why} (octet ${this.at})`
    this.at = this.end
  }

  get left(): number {
    return this.end - this.at
  }

  u8(): number {
    if (!this.#has(1)) return 0
    return this.#bytes[this.at++] ?? 0
  }

  u16(): number {
    if (!this.#has(2)) return 0
    const value = ((this.#bytes[this.at] ?? 0) << 8) | (this.#bytes[this.at + 1] ?? 0)
    this.at += 2
    return value
  }

  u32(): number {
    if (!this.#has(4)) return 0
    const value = this.#bytes.readUInt32BE(this.at)
    this.at += 4
    return value
  }

  /** A copy, in memory of its own: a record that is cached must not keep a message of 64 KiB. */
  octets(count: number): Buffer {
    // One for all: 65,000 empty strings fit into a TXT record, and a Buffer takes 200 octets.
    if (count === 0 || !this.#has(count)) return noOctets
    const copy = Buffer.alloc(count)
    this.#bytes.copy(copy, 0, this.at, this.at + count)
    this.at += count
    return copy
  }

  /** The octets in place, valid as long as the message is. */
  peek(count: number): Buffer {
    if (!this.#has(count)) return noOctets
    this.at += count
    return this.#bytes.subarray(this.at - count, this.at)
  }

  /** What is left up to `end`. */
  rest(): Buffer {
    return this.octets(this.left)
  }

  /** A string with its length in front (RFC 1035 §3.3). */
  characterString(): Buffer {
    return this.octets(this.u8())
  }

  /**
   * A name (RFC 1035 §4.1.4). Pointers lead strictly backwards, so no name loops; their number and the length are bounded.
   * @param mayPoint  whether this place allows compression (RFC 3597 §4)
   */
  name(mayPoint: boolean): WireName {
    const bytes = this.#bytes
    let at = this.at
    // A name that is nothing but a pointer to one that was read before: what nearly all owners are.
    const first = bytes[at] ?? 0
    if (first >= 0xc0 && this.#pointedAt && mayPoint && at + 1 < this.end) {
      const known = this.#pointedAt.get(((first & 0x3f) << 8) | (bytes[at + 1] ?? 0))
      if (known !== undefined) {
        this.at += 2
        return known as WireName
      }
    }
    let text = ''
    let runStart = at
    let limit = this.end
    let after = -1
    let firstTarget = -1
    let prefixLength = 0
    for (let pointers = 0; ; ) {
      if (at >= limit) return this.#noName('a name runs past its end')
      const octet = bytes[at] ?? 0
      if (octet === 0) {
        text += bytes.toString('latin1', runStart, at + 1)
        break
      }
      if (octet <= 63) {
        at += octet + 1
        continue
      }
      // RFC 6891 §5 and RFC 2673: the label types 01 and 10 are not in use.
      if (octet < 0xc0) return this.#noName('a label of unknown type')
      if (!mayPoint || !this.#mayCompress) return this.#noName('a compressed name where none may be')
      if (at + 1 >= limit) return this.#noName('a pointer is cut off')
      const target = ((octet & 0x3f) << 8) | (bytes[at + 1] ?? 0)
      if (target >= runStart) return this.#noName('a pointer leads forward or to itself')
      if (++pointers > maxPointers) return this.#noName('a chain of pointers is too long')
      text += bytes.toString('latin1', runStart, at)
      if (text.length > maxNameOctets) return this.#noName('a name is longer than 255 octets')
      if (after < 0) {
        after = at + 2
        const known = this.#pointedAt?.get(target)
        if (known !== undefined) {
          text += known
          break
        }
        firstTarget = target
        prefixLength = text.length
      }
      at = runStart = target
      limit = bytes.length
    }
    if (text.length > maxNameOctets) return this.#noName('a name is longer than 255 octets')
    if (firstTarget >= 0) {
      this.#pointedAt ??= new Map()
      this.#pointedAt.set(firstTarget, text.slice(prefixLength))
    }
    this.at = after < 0 ? at + 1 : after
    return text as WireName
  }

  seconds(): number {
    return this.u32()
  }

  time(): number {
    return this.u32()
  }

  typeCode(): number {
    return this.u16()
  }

  algorithm(): number {
    return this.u8()
  }

  ipv4(): IpAddress {
    return ipFromBytes(this.peek(4))
  }

  ipv6(): IpAddress {
    return ipFromBytes(this.peek(16))
  }

  characterStrings(): Buffer[] {
    const strings: Buffer[] = []
    while (this.left > 0) strings.push(this.characterString())
    return strings
  }

  tag(): string {
    return this.characterString().toString('latin1')
  }

  text(): Buffer {
    return this.rest()
  }

  hex(): Buffer {
    return this.rest()
  }

  base64(): Buffer {
    return this.rest()
  }

  salt(): Buffer {
    return this.characterString()
  }

  hash(): Buffer {
    return this.characterString()
  }

  /** RFC 4034 §4.1.2: blocks of 256 types in ascending order, each 1–32 octets of bits. */
  typeBitmap(): number[] {
    const types: number[] = []
    let lastBlock = -1
    while (this.left > 0) {
      const block = this.u8()
      const length = this.u8()
      if (block <= lastBlock || length < 1 || length > 32) {
        this.fail('a type bitmap is out of order or has a block of wrong length')
        return types
      }
      lastBlock = block
      this.peek(length).forEach((octet, index) => {
        for (let bit = 0; bit < 8; bit++) if (octet & (0x80 >> bit)) types.push(block * 256 + index * 8 + bit)
      })
    }
    return types
  }

  #noName(why: string): WireName {
    this.fail(why)
    return rootWireName
  }

  #has(count: number): boolean {
    if (this.end - this.at >= count) return true
    this.fail('it ends too early')
    return false
  }
}
