import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAnswer, changeExchanger, changeZone } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { wire } from '../../../../test/unit/facts/names.ts'
import { record, rrsigData, soaData } from '../../../../test/unit/facts/records.ts'
import { response } from '../../../../test/unit/facts/servers.ts'
import { failed, noData } from '../../../../test/unit/facts/views.ts'
import { processorMs } from '../../../../test/unit/processor-time.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { rcodes } from '../../../dns/types.ts'
import { dnssecBogus } from './dnssec-bogus.ts'
import { dnssecDenialBroken } from './dnssec-denial-broken.ts'

const name = '_25._tcp.mx2.example.com'
const bogus = { ...failed(name, 'servfail', 'bogus'), unchecked: 'no-such-name' } as const
const withTlsa = (view: typeof bogus) =>
  changeExchanger(factsOf(), 1, { tlsa: [{ base: wire('mx2.example.com'), place: 'target', view }] })

test('the proof for TLSA does not hold: told here, and not as bogus', () => {
  const finding = only([dnssecBogus, dnssecDenialBroken], withTlsa(bogus))
  assert.deepEqual([finding.id, finding.severity], ['dnssec-denial-broken', 'error'])
  assert.match(finding.seen, /TLSA _25\._tcp\.mx2\.example\.com/)
})

test('SERVFAIL of a moment, as a rate limit brings it, is no fault of a zone that nobody validates', () => {
  const moment = { ...bogus, extendedErrors: [] }
  const facts = withTlsa(moment)
  const seenBy = (validation: 'none' | 'not-examined' | 'trusted') => ({
    ...facts,
    vantage: { ...facts.vantage, validation },
  })
  const unknown = ['not checked dnssec-denial-broken: lookup-failed']
  assert.deepEqual(outcomesOf(dnssecDenialBroken, seenBy('none')), unknown)
  assert.deepEqual(outcomesOf(dnssecDenialBroken, changeZone(facts, 0, { ds: noData('example.com') })), unknown)
  const unsure = changeZone(seenBy('not-examined'), 0, { ds: failed('example.com') })
  assert.deepEqual(outcomesOf(dnssecDenialBroken, unsure), unknown)
  assert.equal(only(dnssecDenialBroken, seenBy('trusted')).severity, 'error')
  assert.equal(only(dnssecDenialBroken, seenBy('not-examined')).severity, 'error')
})

test('one server that sends no proof', () => {
  const bare = response('_tcp.mx1.example.com', 'TXT', [], {
    authorities: [soaData()],
    message: { rcode: rcodes.nxDomain },
  })
  const facts = changeAnswer(factsOf(), 2, '_tcp.mx1.example.com', 'TXT', bare)
  assert.match(only(dnssecDenialBroken, facts).seen, /ns2\.example\.com .* no TXT _tcp\.mx1\.example\.com/)
  // In an unsigned zone there is nothing to prove.
  assert.deepEqual(outcomesOf(dnssecDenialBroken, changeZone(facts, 0, { ds: noData('example.com') })), [])
})

test('thousands of denials and signatures that do not belong together are no proof, and take no time', () => {
  const authorities = Array.from({ length: 5_000 }, (_, index) => [
    record(wire(`a${index}.example.com`), { type: 'NSEC', next: wire('example.com'), types: [1] }),
    record(wire(`b${index}.example.com`), rrsigData('NSEC')),
  ]).flat()
  const bare = response('_tcp.mx1.example.com', 'TXT', [], { message: { rcode: rcodes.nxDomain, authorities } })
  const facts = changeAnswer(factsOf(), 2, '_tcp.mx1.example.com', 'TXT', bare)
  const cost = processorMs(() => assert.match(only(dnssecDenialBroken, facts).seen, /sends no signed NSEC/))
  assert.ok(cost < 200, `${cost} ms`)
})

test('an insecure denial is normal', () => {
  const tlsa = [{ base: wire('mx2.example.com'), place: 'target', view: noData(name, { trust: 'insecure' }) }] as const
  assert.deepEqual(outcomesOf(dnssecDenialBroken, changeExchanger(factsOf(), 1, { tlsa })), [])
})

test('proofs that hold are fine; without validation nobody knows', () => {
  const facts = factsOf()
  assert.deepEqual(outcomesOf(dnssecDenialBroken, facts), [])
  assert.deepEqual(
    outcomesOf(dnssecDenialBroken, { ...facts, vantage: { ...facts.vantage, validation: 'not-examined' } }),
    ['not checked dnssec-denial-broken: not-validating'],
  )
})
