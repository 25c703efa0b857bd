/**
 * What the data of a record is read from and written to, field by field. There are two forms of it, so that `rdata.ts` describes each type
 * once: the octets of a message (`reader.ts`, `writer.ts`) and the words of zone text (`word-reader.ts`, `word-writer.ts`).
 */
import type { IpAddress } from '../base/ip.ts'
import type { WireName } from './wire-name.ts'

/** Never throws: what is not there is read as zero, and the reader keeps why. */
export interface RdataSource {
  u8(): number
  u16(): number
  u32(): number
  /** 32 bits; in text with units too, `1h30m`. */
  seconds(): number
  /** 32 bits, seconds since 1970; in text as `YYYYMMDDHHmmSS` (RFC 4034 §3.2). */
  time(): number
  /** 16 bits; in text a mnemonic. */
  typeCode(): number
  /** 8 bits; in text a mnemonic too (RFC 4034 appendix A.1). */
  algorithm(): number
  /** @param mayPoint  whether this place allows compression (RFC 3597 §4) */
  name(mayPoint: boolean): WireName
  ipv4(): IpAddress
  ipv6(): IpAddress
  /** At most 255 octets. */
  characterString(): Buffer
  /** All that is left, as strings. */
  characterStrings(): Buffer[]
  /** Letters and digits, at most 255 (RFC 8659 §4.1). */
  tag(): string
  /** All that is left; in text one string, of any length. */
  text(): Buffer
  /** All that is left, in hexadecimal. */
  hex(): Buffer
  base64(): Buffer
  /** At most 255 octets; in text hexadecimal, or `-` where there are none (RFC 5155 §3.3). */
  salt(): Buffer
  /** 1–255 octets; in text base32hex (RFC 5155 §3.3). */
  hash(): Buffer
  /** All that is left: the codes of types, ascending (RFC 4034 §4.1.2). */
  typeBitmap(): number[]
}

/** What `RdataSource` reads, written. */
export interface RdataSink {
  u8(value: number): void
  u16(value: number): void
  u32(value: number): void
  seconds(value: number): void
  time(value: number): void
  typeCode(value: number): void
  algorithm(value: number): void
  /** @param compress  whether this place allows a pointer, and may be pointed to */
  name(name: WireName, compress: boolean): void
  ipv4(address: IpAddress): void
  ipv6(address: IpAddress): void
  characterString(octets: Uint8Array): void
  characterStrings(strings: readonly Uint8Array[]): void
  tag(tag: string): void
  text(octets: Uint8Array): void
  hex(octets: Uint8Array): void
  base64(octets: Uint8Array): void
  salt(octets: Uint8Array): void
  hash(octets: Uint8Array): void
  typeBitmap(types: readonly number[]): void
}
