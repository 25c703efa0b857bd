import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDns } from '../lab/dns.ts'
import { createFakeClock } from '../lab/fake-clock.ts'
import { labResolver } from '../lab/resolver.ts'

const zone = {
  'example.test': { MX: [[10, 'mx.example.test']], ttl: 60 },
  'mx.example.test': { A: ['192.0.2.1'], ttl: 60 },
} as const
const hourMs = 3_600_000

test('the TTL passes during an outage: the last good answer is served, flagged stale, until DNS is back or a week has passed', async (t) => {
  const clock = createFakeClock()
  const dns = await startDns(t, zone)
  const resolver = labResolver(t, [dns], { clock, options: { attempts: 1 } })
  const first = await resolver.exchangers('example.test')
  assert.ok(first.kind === 'candidates' && !first.stale)
  assert.equal(first.ttlSeconds, 60)

  dns.fault('*', 'servfail')
  clock.advance(30_000)
  const fresh = await resolver.exchangers('example.test')
  assert.ok(fresh.kind === 'candidates' && !fresh.stale)
  assert.equal(fresh.ttlSeconds, 30)

  clock.advance(24 * hourMs)
  const stale = await resolver.exchangers('example.test')
  assert.ok(stale.kind === 'candidates' && stale.stale)
  assert.deepEqual(stale.candidates[0]?.addresses, ['192.0.2.1'])

  const questions = dns.asked.length
  assert.ok((await resolver.exchangers('example.test')).stale)
  assert.equal(dns.asked.length, questions, 'servers that fail are left alone for a while')

  clock.advance(7 * 24 * hourMs)
  assert.equal((await resolver.exchangers('example.test')).kind, 'temporary-failure')

  dns.fault('*', undefined)
  clock.advance(60_000)
  const back = await resolver.exchangers('example.test')
  assert.ok(back.kind === 'candidates' && !back.stale)
})

test('DNS is back with another answer: it replaces the stale one', async (t) => {
  const clock = createFakeClock()
  const dns = await startDns(t, zone)
  const resolver = labResolver(t, [dns], { clock, options: { attempts: 1 } })
  await resolver.exchangers('example.test')
  dns.fault('*', 'refused')
  clock.advance(hourMs)
  assert.ok((await resolver.exchangers('example.test')).stale)

  dns.fault('*', undefined)
  dns.set({ ...zone, 'mx.example.test': { A: ['192.0.2.2'] } })
  clock.advance(10_000)
  const back = await resolver.exchangers('example.test')

  assert.ok(back.kind === 'candidates' && !back.stale)
  assert.deepEqual(back.candidates[0]?.addresses, ['192.0.2.2'])
})
