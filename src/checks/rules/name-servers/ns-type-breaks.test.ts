import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAnswer, changeZone } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { response, silence } from '../../../../test/unit/facts/servers.ts'
import { noData, notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { rcodes } from '../../../dns/types.ts'
import { nsTypeBreaks } from './ns-type-breaks.ts'

const tlsa = '_25._tcp.mx1.example.com'
const code = (rcode: number) => response(tlsa, 'TLSA', [], { authorities: [], message: { rcode } })
const nxDomain = response(tlsa, 'TLSA', [], { message: { rcode: rcodes.nxDomain } })

test('silence, NOTIMP and SERVFAIL at TLSA: an error in a signed zone, a notice in another', () => {
  for (const outcome of [silence, code(rcodes.notImp), code(rcodes.servFail)]) {
    const facts = changeAnswer(factsOf(), 2, tlsa, 'TLSA', outcome)
    assert.deepEqual(outcomesOf(nsTypeBreaks, facts), ['error ns-type-breaks'])
    assert.deepEqual(outcomesOf(nsTypeBreaks, changeZone(facts, 0, { ds: noData('example.com') })), [
      'notice ns-type-breaks',
    ])
  }
})

test('CAA too, and one finding a server', () => {
  const facts = changeAnswer(changeAnswer(factsOf(), 2, 'mx1.example.com', 'CAA', silence), 2, tlsa, 'TLSA', silence)
  assert.match(only(nsTypeBreaks, facts).seen, /TLSA .* CAA|CAA .* TLSA/)
})

test('NXDOMAIN is wrong at a name that exists, and right at one that does not', () => {
  assert.deepEqual(outcomesOf(nsTypeBreaks, changeAnswer(factsOf(), 2, tlsa, 'TLSA', nxDomain)), [
    'error ns-type-breaks',
  ])
  const everywhere = [0, 1, 2, 3, 4, 5].reduce(
    (facts, index) => changeAnswer(facts, index, tlsa, 'TLSA', nxDomain),
    factsOf(),
  )
  assert.deepEqual(outcomesOf(nsTypeBreaks, everywhere), [])
  const caa = response('mx1.example.com', 'CAA', [], { message: { rcode: rcodes.nxDomain } })
  assert.deepEqual(outcomesOf(nsTypeBreaks, changeAnswer(factsOf(), 2, 'mx1.example.com', 'CAA', caa)), [
    'error ns-type-breaks',
  ])
})

test('a server that breaks at everything is another fault', () => {
  const facts = changeAnswer(changeAnswer(factsOf(), 2, tlsa, 'TLSA', silence), 2, 'example.com', 'SOA', silence)
  assert.deepEqual(outcomesOf(nsTypeBreaks, facts), [])
})

test('good servers are fine; what was not asked is not checked', () => {
  assert.deepEqual(outcomesOf(nsTypeBreaks, factsOf()), [])
  assert.deepEqual(outcomesOf(nsTypeBreaks, changeAnswer(factsOf(), 2, tlsa, 'TLSA', notExamined('rate-limited'))), [
    'not checked ns-type-breaks: rate-limited',
  ])
})
