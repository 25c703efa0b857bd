/** DNS records that property tests choose from: names of any octets, and data of every type that is known. */
import fc from 'fast-check'
import { ipFromBytes } from '../../src/base/ip.ts'
import type { Rdata } from '../../src/dns/rdata.ts'
import { nameFromLabels, nameFromText, rootWireName, type WireName } from '../../src/dns/wire-name.ts'

const wire = (text: string): WireName => {
  const parsed = nameFromText(text)
  if (parsed.kind === 'invalid') throw new Error(parsed.why)
  return parsed.name
}

// Plain objects, as the decoder makes them: deepEqual minds the prototype.
export const shape = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record<T>(model, { noNullPrototype: true })
const label = fc.stringMatching(/^[a-zA-Z0-9_-]{1,20}$/)
export const plainName = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => wire(`${labels.join('.')}.`))
const anyLabel = fc.uint8Array({ minLength: 1, maxLength: 63 }).map((octets) => Buffer.from(octets).toString('latin1'))
export const anyName = fc.array(anyLabel, { maxLength: 8 }).map((labels) => {
  const parsed = nameFromLabels(labels)
  return parsed.kind === 'name' ? parsed.name : rootWireName
})
export const octets = (maxLength: number, minLength = 0) =>
  fc.uint8Array({ minLength, maxLength }).map((bytes) => Buffer.from(bytes))
const text = fc.stringMatching(/^[ -~]{0,40}$/).map((string) => Buffer.from(string))
export const u8 = fc.nat(255)
export const u16 = fc.nat(65_535)
const u32 = fc.nat(0xffffffff)
export const knownTypes = fc
  .uniqueArray(fc.constantFrom(1, 2, 5, 6, 15, 16, 28, 46, 47, 48), { minLength: 1 })
  .map((types) => types.sort((a, b) => a - b))
const anyTypes = fc.uniqueArray(u16, { maxLength: 20 }).map((types) => types.sort((a, b) => a - b))

export function dataOf(name: fc.Arbitrary<WireName>, types: fc.Arbitrary<number[]>): fc.Arbitrary<Rdata> {
  const target = (type: 'NS' | 'CNAME' | 'PTR' | 'DNAME') => name.map((target): Rdata => ({ type, target }))
  const address = (type: 'A' | 'AAAA', length: number) =>
    octets(length, length).map((bytes): Rdata => ({ type, address: ipFromBytes(bytes) }))
  return fc.oneof(
    address('A', 4),
    address('AAAA', 16),
    target('NS'),
    target('CNAME'),
    target('PTR'),
    target('DNAME'),
    shape({
      type: fc.constant('SOA' as const),
      primary: name,
      mailbox: name,
      serial: u32,
      refreshSeconds: u32,
      retrySeconds: u32,
      expireSeconds: u32,
      minimumSeconds: u32,
    }),
    shape({ type: fc.constant('MX' as const), preference: u16, exchange: name }),
    shape({ type: fc.constant('TXT' as const), strings: fc.array(octets(255), { minLength: 1, maxLength: 4 }) }),
    shape({ type: fc.constant('HINFO' as const), cpu: text, os: text }),
    shape({ type: fc.constant('SRV' as const), priority: u16, weight: u16, port: u16, target: name }),
    shape({ type: fc.constant('DS' as const), keyTag: u16, algorithm: u8, digestType: u8, digest: octets(64, 1) }),
    shape({
      type: fc.constant('DNSKEY' as const),
      flags: u16,
      protocol: fc.constant(3),
      algorithm: u8,
      key: octets(64, 1),
    }),
    shape({
      type: fc.constant('RRSIG' as const),
      covered: fc.constantFrom(1, 15, 48),
      algorithm: u8,
      labels: u8,
      originalTtlSeconds: u32,
      expiration: u32,
      inception: u32,
      keyTag: u16,
      signer: name,
      signature: octets(64, 1),
    }),
    shape({ type: fc.constant('NSEC' as const), next: name, types }),
    shape({
      type: fc.constant('NSEC3' as const),
      algorithm: u8,
      flags: u8,
      iterations: u16,
      salt: octets(255),
      nextHash: octets(255, 1),
      types,
    }),
    shape({ type: fc.constant('TLSA' as const), usage: u8, selector: u8, matching: u8, data: octets(64, 1) }),
    shape({
      type: fc.constant('CAA' as const),
      flags: fc.constantFrom(0, 128),
      tag: fc.constantFrom('issue', 'issuewild', 'iodef'),
      value: text,
    }),
  )
}

export const anyRdata = fc.oneof(
  dataOf(anyName, anyTypes),
  shape({ type: fc.constant('NSEC3PARAM' as const), algorithm: u8, flags: u8, iterations: u16, salt: octets(255) }),
  shape({ type: fc.constant('opaque' as const), code: fc.constantFrom(65, 250, 1234), data: octets(200) }),
)
