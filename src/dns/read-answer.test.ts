import assert from 'node:assert/strict'
import { test } from 'node:test'
import { labName } from '../../test/lab/names.ts'
import { type DnsRecord, type Message, query } from './message.ts'
import type { Rdata } from './rdata.ts'
import { readAnswer } from './read-answer.ts'

const name = labName('example.test')
const record = (owner: string, data: Rdata, ttlSeconds = 60): DnsRecord => ({
  name: labName(owner),
  class: 1,
  ttlSeconds,
  data,
})
const alias = (owner: string, target: string, ttlSeconds = 60) =>
  record(owner, { type: 'CNAME', target: labName(target) }, ttlSeconds)
const mx = (owner: string, ttlSeconds = 60) =>
  record(owner, { type: 'MX', preference: 10, exchange: labName('mx.test') }, ttlSeconds)
const soa = (zone: string, ttlSeconds: number, minimumSeconds: number) => {
  const rest = { serial: 1, refreshSeconds: 1, retrySeconds: 1, expireSeconds: 1, minimumSeconds }
  return record(zone, { type: 'SOA', primary: name, mailbox: name, ...rest }, ttlSeconds)
}
const said = (parts: Partial<Message>): Message => ({ ...query(name, 15, 1, undefined), isResponse: true, ...parts })

test('records of other owners, types and classes are no answer', () => {
  const answers = [
    mx('other.test'),
    record('example.test', { type: 'TXT', strings: [] }),
    { ...mx('example.test'), class: 3 },
  ]
  assert.equal(readAnswer(said({ answers }), name, 'MX').kind, 'no-data')
})

test('the TTL is the least of the records and aliases that were used', () => {
  const answers = [alias('example.test', 'b.test', 50), mx('B.test', 90), mx('b.test', 70), mx('unrelated.test', 1)]
  const reading = readAnswer(said({ answers }), name, 'MX')
  assert.ok(reading.kind === 'answer')
  assert.equal(reading.ttlSeconds, 50)
  assert.deepEqual(reading.aliases, [labName('b.test')])
})

test('a negative answer is kept for the lesser of the SOA record TTL and its minimum, and not without SOA', () => {
  const ttl = (authorities: DnsRecord[]) => {
    const reading = readAnswer(said({ authorities, rcode: 3 }), name, 'MX')
    return reading.kind === 'no-such-name' ? reading.ttlSeconds : reading.kind
  }
  assert.equal(ttl([soa('test', 30, 900)]), 30)
  assert.equal(ttl([soa('test', 900, 40)]), 40)
  assert.equal(ttl([]), 0)
  assert.equal(ttl([soa('other', 900, 40)]), 0)
})

test('aliases that end in nothing: unfinished without SOA, no data with, no such name with NXDOMAIN', () => {
  const answers = [alias('example.test', 'b.other')]
  assert.equal(readAnswer(said({ answers }), name, 'MX').kind, 'unfinished')
  assert.equal(readAnswer(said({ answers, authorities: [soa('other', 60, 60)] }), name, 'MX').kind, 'no-data')
  assert.equal(readAnswer(said({ answers, rcode: 3 }), name, 'MX').kind, 'no-such-name')
})

test('loops, two aliases and referrals are failures', () => {
  const reason = (parts: Partial<Message>, before = new Set<string>()) => {
    const reading = readAnswer(said(parts), name, 'MX', before)
    return reading.kind === 'failed' ? reading.reason : reading.kind
  }
  assert.equal(reason({ answers: [alias('example.test', 'example.test')] }), 'cname-loop')
  assert.equal(reason({ answers: [alias('example.test', 'b.test'), alias('b.test', 'EXAMPLE.test')] }), 'cname-loop')
  assert.equal(reason({ answers: [alias('example.test', 'b.test')] }, new Set([labName('b.test')])), 'cname-loop')
  assert.equal(reason({ answers: [alias('example.test', 'a.test'), alias('example.test', 'b.test')] }), 'malformed')
  assert.equal(reason({ authorities: [record('test', { type: 'NS', target: name })] }), 'refused')
  for (const [rcode, expected] of [
    [2, 'servfail'],
    [5, 'refused'],
    [1, 'error-code'],
    [23, 'error-code'],
  ] as const)
    assert.equal(reason({ rcode, answers: [mx('example.test')] }), expected)
})

test('an alias that is asked for as such is the answer', () => {
  const reading = readAnswer(said({ answers: [alias('example.test', 'b.test')] }), name, 'CNAME')
  assert.ok(reading.kind === 'answer' && reading.aliases.length === 0)
})
