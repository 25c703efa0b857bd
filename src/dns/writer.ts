/**
 * Writes a DNS message into one growing buffer, compressing names (RFC 1035 §4.1.4). Used by `message.ts` and `rdata.ts`.
 * Values out of range are bugs of the caller: RangeError.
 */
import { rootWireName, type WireName } from './wire-name.ts'

/** Pointers have 14 bits. */
const maxPointerTarget = 0x3fff

export class Writer {
  #bytes = Buffer.allocUnsafe(512)
  /** Where each name, and each end of a name, already stands. By exact octets: nobody's case is changed. */
  readonly #places = new Map<string, number>()
  at = 0

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
    if (!compress || name === rootWireName) {
      this.at += this.#bytes.write(name, this.at, 'latin1')
      return
    }
    const begin = this.at
    for (let start = 0; start < name.length - 1; start += 1 + name.charCodeAt(start)) {
      const end = name.slice(start)
      const place = this.#places.get(end)
      if (place !== undefined) {
        this.at = begin + this.#bytes.write(name.slice(0, start), begin, 'latin1')
        this.u16(0xc000 | place)
        return
      }
      if (begin + start <= maxPointerTarget) this.#places.set(end, begin + start)
    }
    this.at = begin + this.#bytes.write(name, begin, 'latin1')
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
