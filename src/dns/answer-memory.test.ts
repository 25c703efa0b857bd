import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { startDns } from '../../test/lab/dns.ts'
import { createFakeClock } from '../../test/lab/fake-clock.ts'
import { labName } from '../../test/lab/names.ts'
import { labResolver } from '../../test/lab/resolver.ts'
import type { IpAddress } from '../base/ip.ts'
import { memoryOf } from './answer-memory.ts'
import { decodeMessage, encodeMessage, query } from './message.ts'
import type { Rdata } from './rdata.ts'
import type { Resolution } from './resolution.ts'
import { classCodes } from './types.ts'
import type { WireName } from './wire-name.ts'

const name = labName('example.test')

/** A message that answers with this, as octets. */
const answerOf = (data: readonly Rdata[]) =>
  encodeMessage({
    ...query(name, 255, 1, undefined),
    isResponse: true,
    answers: data.map((each) => ({ name, class: classCodes.IN, ttlSeconds: 300, data: each })),
  })

function decoded(bytes: Buffer) {
  const result = decodeMessage(bytes)
  assert.ok(result.kind === 'message')
  return result.message.answers
}

const memoryOfAnswer = (records: readonly unknown[]) =>
  memoryOf({ kind: 'answer', aliases: [], records } as unknown as Resolution)

const many = (count: number, make: (index: number) => Rdata): readonly Rdata[] =>
  Array.from({ length: count }, (_, index) => make(index))
const strings = (count: number, octets: number) => Array.from({ length: count }, () => Buffer.alloc(octets, 'x'))
const answers: Readonly<Record<string, readonly Rdata[]>> = {
  '3,900 IPv4 addresses': many(3_900, (index) => ({
    type: 'A',
    address: `23.0.${index >> 8}.${index & 255}` as IpAddress,
  })),
  '2,300 IPv6 addresses': many(2_300, (index) => ({
    type: 'AAAA',
    address: `2600:${index.toString(16)}::1` as IpAddress,
  })),
  '3,000 exchangers': many(3_000, (index) => ({
    type: 'MX',
    preference: 1,
    exchange: labName(`m${index}.example.test`),
  })),
  'a TXT record of 65,000 empty strings': [{ type: 'TXT', strings: strings(65_000, 0) }],
  'a TXT record of 32,000 strings of an octet': [{ type: 'TXT', strings: strings(32_000, 1) }],
  'a TXT record of 250 whole strings': [{ type: 'TXT', strings: strings(250, 255) }],
  '4,000 TXT records of an octet': many(4_000, () => ({ type: 'TXT', strings: strings(1, 1) })),
  '4,000 records of an unknown type': many(4_000, () => ({ type: 'opaque', code: 99, data: Buffer.from('x') })),
}

function heldOctets(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  // What a finalizer lets go of is collected the next time.
  for (let round = 0; round < 3; round++) collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

test('what an answer takes in memory counts in the cache', () => {
  for (const [what, data] of Object.entries(answers)) {
    const bytes = answerOf(data)
    decoded(bytes)
    const before = heldOctets()
    const kept = Array.from({ length: 10 }, () => decoded(bytes))
    const taken = (heldOctets() - before) / kept.length
    const counted = memoryOfAnswer(kept[0] ?? [])
    assert.equal(kept[0]?.length, data.length)
    assert.ok(taken < counted * 1.5, `${what}: ${counted} counted, ${taken} taken`)
  }
})

test('what nearly every name has is less than a KiB', () => {
  const exchangers = many(4, (index) => ({ type: 'MX', preference: 1, exchange: labName(`mx${index}.example.test`) }))
  assert.ok(memoryOfAnswer(decoded(answerOf(exchangers))) < 1_024)
  const policy: Rdata = { type: 'TXT', strings: [Buffer.from('v=spf1 ip4:192.0.2.1 include:_spf.example.test -all')] }
  assert.ok(memoryOfAnswer(decoded(answerOf([policy]))) < 1_024)
})

test('names count as long as they are, however few octets of pointers they were', () => {
  const suffix = ['x', 'y', 'z'].map((octet) => `\x3f${octet.repeat(63)}`).join('')
  const data = many(1_000, (index) => ({
    type: 'PTR',
    target: `\x04${String(index).padStart(4, '0')}${suffix}\0` as WireName,
  }))
  const bytes = answerOf(data)
  assert.ok(bytes.length < 25_000)
  assert.ok(memoryOfAnswer(decoded(bytes)) > 1_000 * 197)
})

test('empty strings are one and the same', () => {
  const [record] = decoded(answerOf([{ type: 'TXT', strings: strings(65_000, 0) }]))
  assert.ok(record?.data.type === 'TXT')
  assert.equal(record.data.strings.length, 65_000)
  assert.equal(new Set(record.data.strings).size, 1)
})

test('the cache of the resolver is bounded by memory: 200 TXT records of an octet are 3 KiB on the way and 100 here', async (t) => {
  const dns = await startDns(t, { 'example.test': { TXT: Array.from({ length: 200 }, () => 'x') } })
  for (const [cacheEntries, isKept] of [
    [100, false],
    [300, true],
  ] as const) {
    const resolver = labResolver(t, [dns], { clock: createFakeClock(), options: { cacheEntries } })
    for (let round = 0; round < 2; round++) assert.equal((await resolver.resolve(name, 'TXT')).kind, 'answer')
    assert.equal(resolver.counts.fromCache, isKept ? 1 : 0)
  }
})
