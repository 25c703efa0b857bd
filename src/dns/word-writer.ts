/**
 * Writes the data of a record as words of zone text, in the form that every name server reads: absolute names, plain numbers, quoted strings.
 * Used by `rdata-text.ts`. What has no text of its own (a TXT record without strings) sets `hasNoText`: the generic form is left.
 */
import { type IpAddress, isIpv6 } from '../base/ip.ts'
import { hashText } from './base32.ts'
import type { RdataSink } from './rdata-form.ts'
import { typeName } from './types.ts'
import { nameText, type WireName } from './wire-name.ts'
import { quote } from './words.ts'

export class WordWriter implements RdataSink {
  readonly #words: string[] = []
  hasNoText = false

  get words(): string {
    return this.#words.join(' ')
  }

  u8(value: number): void {
    this.#words.push(String(value))
  }

  u16(value: number): void {
    this.#words.push(String(value))
  }

  u32(value: number): void {
    this.#words.push(String(value))
  }

  seconds(value: number): void {
    this.#words.push(String(value))
  }

  time(value: number): void {
    this.#words.push(new Date(value * 1000).toISOString().replace(/\D/g, '').slice(0, 14))
  }

  typeCode(value: number): void {
    this.#words.push(typeName(value))
  }

  algorithm(value: number): void {
    this.#words.push(String(value))
  }

  name(name: WireName, _compress = false): void {
    this.#words.push(nameText(name))
  }

  ipv4(address: IpAddress): void {
    this.#words.push(address)
  }

  ipv6(address: IpAddress): void {
    // The canonical text of a v4-mapped address is the IPv4 one (base/ip).
    this.#words.push(isIpv6(address) ? address : `::ffff:${address}`)
  }

  characterString(octets: Uint8Array): void {
    this.#words.push(quote(octets))
  }

  characterStrings(strings: readonly Uint8Array[]): void {
    if (strings.length === 0) this.hasNoText = true
    for (const string of strings) this.characterString(string)
  }

  tag(tag: string): void {
    if (!/^[0-9A-Za-z]+$/.test(tag)) this.hasNoText = true
    this.#words.push(tag)
  }

  text(octets: Uint8Array): void {
    this.#words.push(quote(octets))
  }

  hex(octets: Uint8Array): void {
    this.#whole(octets, 'hex')
  }

  base64(octets: Uint8Array): void {
    this.#whole(octets, 'base64')
  }

  salt(octets: Uint8Array): void {
    if (octets.length === 0) this.#words.push('-')
    else this.#whole(octets, 'hex')
  }

  hash(octets: Uint8Array): void {
    if (octets.length === 0) this.hasNoText = true
    this.#words.push(hashText(octets))
  }

  typeBitmap(types: readonly number[]): void {
    for (const type of types) this.typeCode(type)
  }

  #whole(octets: Uint8Array, encoding: 'hex' | 'base64'): void {
    if (octets.length === 0) this.hasNoText = true
    this.#words.push(Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString(encoding))
  }
}
