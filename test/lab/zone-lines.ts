/**
 * Zones of tests, one record a line: `name [ttl] type data`, as every server reads it behind `$ORIGIN` and `$TTL 3600`, so that the same text
 * feeds ours and theirs. Knows the types that tests use, and nothing of quotes but around whole strings.
 */
import { type IpAddress, parseIp } from '../../src/base/ip.ts'
import type { ZoneRecord, ZoneSource } from '../../src/dns/authoritative/zone.ts'
import type { Rdata } from '../../src/dns/rdata.ts'
import { nameFromText, type WireName } from '../../src/dns/wire-name.ts'

export const usualTtlSeconds = 3600

/** @param origin  with its final dot */
export function zoneOf(origin: string, lines: string, more: Pick<ZoneSource, 'healthy'> = {}): ZoneSource {
  const records = lines
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => readLine(line.trim(), origin))
  return { origin: absolute('@', origin), records, ...more }
}

/** The same as a zone file. */
export function zoneFile(origin: string, lines: string): string {
  return `$ORIGIN ${origin}\n$TTL ${usualTtlSeconds}\n${lines
    .split('\n')
    .map((line) => line.trim())
    .join('\n')}\n`
}

function readLine(line: string, origin: string): ZoneRecord {
  const words = line.match(/"[^"]*"|\S+/g) ?? []
  const [owner = '', ...rest] = words
  const ttl = /^\d+$/.test(rest[0] ?? '') ? Number(rest.shift()) : usualTtlSeconds
  const [type = '', ...data] = rest
  return { name: absolute(owner, origin), ttlSeconds: ttl, data: readData(type, data, origin) }
}

function readData(type: string, words: readonly string[], origin: string): Rdata {
  const [first = '', second = '', third = '', fourth = ''] = words
  switch (type) {
    case 'A':
    case 'AAAA':
      return { type, address: ip(first) }
    case 'NS':
    case 'CNAME':
    case 'PTR':
    case 'DNAME':
      return { type, target: absolute(first, origin) }
    case 'MX':
      return { type, preference: Number(first), exchange: absolute(second, origin) }
    case 'TXT':
      return { type, strings: words.map((word) => Buffer.from(word.replaceAll('"', ''), 'latin1')) }
    case 'SRV':
      return {
        ...{ type, priority: Number(first), weight: Number(second), port: Number(third) },
        target: absolute(fourth, origin),
      }
    case 'SOA': {
      const [serial = 0, refreshSeconds = 0, retrySeconds = 0, expireSeconds = 0, minimumSeconds = 0] = words
        .slice(2)
        .map(Number)
      const names = { primary: absolute(first, origin), mailbox: absolute(second, origin) }
      return { type, ...names, serial, refreshSeconds, retrySeconds, expireSeconds, minimumSeconds }
    }
    case 'DS':
      return {
        ...{ type, keyTag: Number(first), algorithm: Number(second), digestType: Number(third) },
        digest: Buffer.from(fourth, 'hex'),
      }
    case 'TLSA':
      return {
        ...{ type, usage: Number(first), selector: Number(second), matching: Number(third) },
        data: Buffer.from(fourth, 'hex'),
      }
    default:
      throw new TypeError(`not a type of these tests: ${type}`)
  }
}

/** A name as zone text has it: relative without a final dot. */
export function absolute(text: string, origin: string): WireName {
  const full = text === '@' ? origin : text.endsWith('.') ? text : `${text}.${origin === '.' ? '' : origin}`
  const parsed = nameFromText(full)
  if (parsed.kind === 'invalid') throw new TypeError(`${text}: ${parsed.why}`)
  return parsed.name
}

function ip(text: string): IpAddress {
  const address = parseIp(text)
  if (!address) throw new TypeError(`not an address: ${text}`)
  return address
}
