/**
 * A key of one's own exchanger is exchanged as RFC 7671 §8.1 says: the record of the next one beside that of the present one, two TTLs later the
 * key, then the old record goes. Played second by second, with the rule that people are told by.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Issued } from '../../../../test/unit/certificate-maker.ts'
import { keyDigest } from '../../../../test/unit/certificate-maker.ts'
import { intermediate, leafFor } from '../../../../test/unit/facts/certificates.ts'
import { changeExchanger, changeSession } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { tlsaData } from '../../../../test/unit/facts/records.ts'
import { secured } from '../../../../test/unit/facts/sessions.ts'
import { findingOf, told } from '../../../../test/unit/outcomes.ts'
import { demanding } from '../../../../test/unit/policies.ts'
import { daneMismatch } from './served.ts'

const name = 'mx1.example.com'
const ttlSeconds = 60
const [present, next] = [leafFor(name), leafFor(name, { keyNumber: 2 })]
const recordOf = (leaf: Issued) => tlsaData(3, 1, 1, keyDigest(leaf))

interface Plan {
  /** When the next record is published, when the key is exchanged, when the old record goes (seconds). */
  readonly publishAt: number
  readonly exchangeAt: number
  readonly removeAt: number
}

const recordsAt = ({ publishAt, removeAt }: Plan, second: number) => [
  ...(second < removeAt ? [present] : []),
  ...(second >= publishAt ? [next] : []),
]
const served = ({ exchangeAt }: Plan, second: number) => (second < exchangeAt ? present : next)

/** What a sender goes by whose cache got the records then. */
function factsAt(plan: Plan, second: number, cachedAt: number) {
  return factsOfBoth(recordsAt(plan, cachedAt), served(plan, second))
}

function factsOfBoth(records: readonly Issued[], leaf: Issued) {
  const demanded = demanding(factsOf(), { sts: 'absent', tlsa: records.map(recordOf) })
  const session = { handshake: secured([leaf, intermediate]), extras: [] }
  return changeExchanger(changeSession(demanded, 0, session), 0, (exchanger) => ({
    ...exchanger,
    addresses: exchanger.addresses.slice(0, 1),
  }))
}

const judged = new Map<string, boolean>()

/** There are few pairs of records and key, and many moments. */
function verifies(plan: Plan, second: number, cachedAt: number): boolean {
  const [records, leaf] = [recordsAt(plan, cachedAt), served(plan, second)]
  const pair = [...records, leaf].map((each) => (each === present ? 'present' : 'next')).join(' ')
  const known = judged.get(pair) ?? told(daneMismatch, factsOfBoth(records, leaf)).length === 0
  judged.set(pair, known)
  return known
}

/** Seconds at which some cache that is not older than the TTL has no record for the key that is served. */
function broken(plan: Plan): number[] {
  return Array.from({ length: 400 }, (_, second) => second).filter((second) =>
    Array.from({ length: Math.min(ttlSeconds, second) + 1 }, (_, age) => second - age).some(
      (cachedAt) => !verifies(plan, second, cachedAt),
    ),
  )
}

test('in the right order, at every second a sender with records of any age verifies', () => {
  const publishAt = 50
  const exchangeAt = publishAt + 2 * ttlSeconds
  assert.deepEqual(broken({ publishAt, exchangeAt, removeAt: exchangeAt + 1 }), [])
})

test('a key that is exchanged before the record of the next one has reached every cache breaks those that hold the old one', () => {
  const seconds = broken({ publishAt: 50, exchangeAt: 60, removeAt: 300 })
  assert.deepEqual([seconds[0], seconds.at(-1)], [60, 109], 'a minute behind the publication all caches have it')
})

test('a key that is exchanged by mistake before its record is there is an error as long as the old record stands, with the record to publish', () => {
  const plan = { publishAt: 1_000, exchangeAt: 50, removeAt: 2_000 }
  assert.equal(told(daneMismatch, factsAt(plan, 49, 49)).length, 0)
  const finding = findingOf(daneMismatch, factsAt(plan, 51, 51))
  assert.equal(finding.severity, 'error')
  assert.deepEqual(finding.remedy.records, [`_25._tcp.${name}. IN TLSA 3 1 1 ${keyDigest(next).toString('hex')}`])
})
