import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IpAddress } from '../base/ip.ts'
import { seededRandom } from '../base/random.ts'
import type { DnsRecord } from '../dns/message.ts'
import type { HostName } from '../dns/name.ts'
import type { Rdata } from '../dns/rdata.ts'
import type { Resolver } from '../dns/resolver.ts'
import { nameFromHost, type WireName } from '../dns/wire-name.ts'
import { type ExchangerOptions, lookupExchangers } from './exchangers.ts'

const domain = 'example.com' as HostName

/** DNS where a domain has so many exchangers, and each of them all of these addresses; `reads` is how often one of the records was looked into, `questions` what was asked. */
function zoneOf(hosts: number, of: { readonly A: readonly string[]; readonly AAAA: readonly string[] }) {
  const counted = { reads: 0, questions: 0 }
  const record = (data: Rdata): DnsRecord => ({
    name: nameFromHost(domain),
    class: 1,
    ttlSeconds: 300,
    get data() {
      counted.reads++
      return data
    },
  })
  const records: Record<string, readonly DnsRecord[]> = {
    MX: Array.from({ length: hosts }, (_, preference) =>
      record({ type: 'MX', preference, exchange: nameFromHost(`mx${preference}.example.com` as HostName) }),
    ),
    A: of.A.map((address) => record({ type: 'A', address: address as IpAddress })),
    AAAA: of.AAAA.map((address) => record({ type: 'AAAA', address: address as IpAddress })),
  }
  const answer = { kind: 'answer', aliases: [], ttlSeconds: 300, authenticated: false, stale: false }
  const server = { address: '127.0.0.1', port: 53 }
  const resolve = async (_: WireName, type: string) => {
    counted.questions++
    return { ...answer, server, records: records[type] }
  }
  const resolver = { resolve, close: () => undefined } as unknown as Resolver
  const lookup = (options: Partial<ExchangerOptions> = {}) =>
    lookupExchangers(domain, options, { resolver, random: seededRandom(1) })
  return { counted, lookup }
}

const four = (first: number) => Array.from({ length: 4_000 }, (_, index) => `${first}.0.${index >> 8}.${index & 255}`)
const six = (first: string) => Array.from({ length: 2_000 }, (_, index) => `${first}:${index.toString(16)}::1`)

test('50 hosts with 6,000 addresses each: the first hundred of each family are looked at, and it is said how many there are', async () => {
  const { counted, lookup } = zoneOf(50, { A: four(23), AAAA: six('2600') })
  const found = await lookup()
  // Each exchanger, and of each the first hundred addresses of each family; of 300,000 that there are.
  assert.ok(counted.reads <= 2 * 50 + 50 * 200, String(counted.reads))
  assert.ok(found.kind === 'candidates')
  assert.equal(found.candidates.length, 5)
  for (const { addresses, notes } of found.candidates) {
    assert.deepEqual(addresses, ['2600:0::1', '23.0.0.0'])
    assert.deepEqual(notes, ['has 6000 addresses, 2 of them tried'])
  }
})

test('4,000 hosts: the 50 preferred ones are looked up, and of the others up to 500 it is said that they are not', async () => {
  const { counted, lookup } = zoneOf(4_000, { A: ['23.0.0.1'], AAAA: ['2600::1'] })
  const found = await lookup()
  assert.equal(counted.questions, 1 + 2 * 50)
  assert.ok(found.kind === 'candidates')
  assert.equal(found.candidates[0]?.host, 'mx0.example.com')
  const left = found.dropped.filter(({ why }) => why === 'not looked up: 50 hosts are enough')
  assert.deepEqual([left.length, left[0]?.host, left.at(-1)?.host], [450, 'mx50.example.com', 'mx499.example.com'])
})

test('a single host: as many of its addresses are tried as options can ask for, in the order of DNS', async () => {
  const { lookup } = zoneOf(1, { A: four(23), AAAA: [] })
  const found = await lookup({ maxAddresses: 100 })
  assert.ok(found.kind === 'candidates')
  assert.deepEqual(found.candidates[0]?.addresses, four(23).slice(0, 100))
  assert.deepEqual(found.candidates[0]?.notes, ['has 4000 addresses, 100 of them tried'])
})

test('a thousand addresses of a domain are judged, and what is said of them is short', async () => {
  const found = await zoneOf(50, { A: four(10), AAAA: six('fd00') }).lookup()
  assert.equal(found.kind, 'no-mail-host')
  assert.equal(found.dropped.length, 50)
  for (const { why, isNotPublic } of found.dropped) {
    assert.ok(isNotPublic)
    assert.match(why, /^fd00:0::1 is private \(RFC 4193\); 10\.0\.0\.0 is private \(RFC 1918\); /)
    // Twenty of each: a thousand in all.
    assert.match(why, /; 10 more not public either; 5980 more not looked at$/)
    assert.ok(why.length < 500)
  }
})

test('4,000 exchangers: the 500 preferred ones are judged, and it is said how many there are', async () => {
  const found = await zoneOf(4_000, { A: ['23.0.0.1'], AAAA: [] }).lookup({
    ownNames: ['mx500.example.com' as HostName],
  })
  assert.ok(found.kind === 'candidates')
  assert.deepEqual(
    found.candidates.map(({ host }) => host),
    Array.from({ length: 10 }, (_, index) => `mx${index}.example.com`),
  )
  assert.deepEqual(found.notes, ['has 4000 exchangers, of which the 500 preferred ones are looked at'])
  assert.equal(found.candidates.length + found.dropped.length, 500)
  assert.equal(found.self, undefined)
})

test('we ourselves are found among the first hundred addresses of a host', async () => {
  const { lookup } = zoneOf(3, { A: four(23), AAAA: [] })
  const found = await lookup({ publicAddresses: ['23.0.0.99' as IpAddress] })
  assert.equal(found.kind, 'loop')
})
