/**
 * Throws mutated queries at the answering of the built-in DNS server: whatever comes, it answers in time with a message that is one, or
 * not at all. Used by the fuzz test and, for longer, by `test/long`.
 */

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import type { Random } from '../../src/base/random.ts'
import { type Answerer, createAnswerer } from '../../src/dns/authoritative/answer.ts'
import { createCookies } from '../../src/dns/authoritative/cookies.ts'
import { createRateLimiter } from '../../src/dns/authoritative/rate-limit.ts'
import { createSerials } from '../../src/dns/authoritative/serials.ts'
import { createZones, type Zones } from '../../src/dns/authoritative/zones.ts'
import { decodeMessage } from '../../src/dns/message.ts'
import { parseTsigKey } from '../../src/dns/tsig/key.ts'
import { memorySerials } from '../lab/authority.ts'
import { steadyClock } from '../lab/fast-clock.ts'
import { zoneOf } from '../lab/zone-lines.ts'
import { fuzzRandom, fuzzRounds } from './chance.ts'
import { watched } from './watchdog.ts'

const folder = new URL('./corpus/dns-server/', import.meta.url)

export const corpus = readdirSync(folder)
  .sort()
  .map((name) => ({ name, bytes: Buffer.from(readFileSync(new URL(name, folder), 'utf8').replace(/\s/g, ''), 'hex') }))

export const fuzzZone = zoneOf(
  'example.test.',
  `@ SOA ns1 hostmaster 1 14400 3600 604800 300
@ NS ns1
ns1 A 192.0.2.53
@ MX 10 mx1
mx1 A 192.0.2.1
mx1 AAAA 2001:db8::1
*.wild TXT "wild"
*.wild MX 10 mx1
alias CNAME a.wild
sub NS ns.sub
ns.sub A 192.0.2.9
x._domainkey TXT "${'k'.repeat(200)}" "${'k'.repeat(200)}" "${'k'.repeat(200)}"`,
)

export interface Target {
  readonly answerer: Answerer
  readonly zones: Zones
}

export async function createTarget(): Promise<Target> {
  const breathe = () => undefined
  const serials = createSerials({ store: memorySerials(), clock: steadyClock, breathe })
  const zones = createZones({ seed: 3, serials, isDown: () => false, healthyTtlSeconds: 60, breathe })
  await zones.replace([fuzzZone])
  const parsed = parseTsigKey('key.test', 'hmac-sha256', Buffer.alloc(32, 1).toString('base64'))
  assert.ok(parsed.kind === 'key')
  const answerer = createAnswerer({
    zones,
    // Low, so that what is beyond it comes up too.
    limiter: createRateLimiter({ perSecond: 20_000, slip: 2 }, 3, steadyClock),
    isExempt: () => false,
    cookies: createCookies([Buffer.alloc(16, 7)], steadyClock),
    ...{ requireCookies: false, udpBytes: 1232, keys: [parsed.key], clock: steadyClock },
  })
  return { answerer, zones }
}

const out = Buffer.alloc(65_535)

/** @returns the response code, or undefined where there was no answer */
export function examine({ answerer }: Target, bytes: Buffer, isTcp: boolean): number | undefined {
  const started = performance.now()
  const length = watched('query', bytes, () =>
    isTcp ? answerer.overTcp(bytes, '2001:db8::9', out) : answerer.overUdp(bytes, '192.0.2.9', out),
  )
  assert.ok(performance.now() - started < 1_000, `slow: ${bytes.toString('hex')}`)
  if (length === 0) return undefined
  const hex = () => `${bytes.toString('hex')} → ${out.toString('hex', 0, length)}`
  assert.ok(length >= 12 && (isTcp || length <= 1232), hex())
  assert.equal(out.readUInt16BE(0), bytes.readUInt16BE(0))
  const decoded = decodeMessage(out.subarray(0, length))
  assert.ok(decoded.kind === 'message', `${decoded.kind === 'malformed' ? decoded.why : ''}: ${hex()}`)
  const { message } = decoded
  assert.ok(message.isResponse && !message.recursionAvailable && message.questions.length <= 1, hex())
  return message.rcode
}

/** @returns how many answers there were of each response code; −1: none */
export function throwMutations(target: Target, count: number, seed: number): Map<number, number> {
  const random = fuzzRandom(seed)
  const seen = new Map<number, number>()
  for (let round = 0; round < fuzzRounds(count); round++) {
    const rcode = examine(target, mutate(random), round % 4 === 0) ?? -1
    seen.set(rcode, (seen.get(rcode) ?? 0) + 1)
  }
  return seen
}

function mutate(random: Random): Buffer {
  const pick = (below: number) => Math.floor(random.number() * below)
  let bytes = Buffer.from(corpus[pick(corpus.length)]?.bytes ?? Buffer.alloc(0))
  for (let change = pick(3); change >= 0; change--) {
    const at = pick(bytes.length)
    const kind = pick(7)
    if (kind === 0) bytes[at] = pick(256)
    else if (kind === 1) bytes[at] = 0xc0 | pick(2)
    else if (kind === 2) bytes = bytes.subarray(0, at)
    else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at), random.bytes(pick(8)), bytes.subarray(at)])
    else if (kind === 4) bytes[at] = (bytes[at] ?? 0) ^ (1 << pick(8))
    else if (kind === 5) bytes = Buffer.concat([bytes, corpus[pick(corpus.length)]?.bytes.subarray(pick(40)) ?? bytes])
    else if (bytes.length >= 12) bytes.writeUInt16BE(pick(4), 4 + 2 * pick(4))
  }
  return bytes
}
