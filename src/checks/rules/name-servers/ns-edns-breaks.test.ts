import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeServer, changeZone } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { soaData } from '../../../../test/unit/facts/records.ts'
import { direct, response, silence } from '../../../../test/unit/facts/servers.ts'
import { noData, notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { rcodes } from '../../../dns/types.ts'
import type { DirectOutcome, Facts } from '../../facts.ts'
import { nsEdnsBreaks } from './ns-edns-breaks.ts'

const plain = response('example.com', 'SOA', [soaData()], { message: { edns: undefined } })
const code = (rcode: number) =>
  response('example.com', 'SOA', [], { authorities: [], message: { rcode, edns: undefined } })

function withEdns(outcome: DirectOutcome, without: DirectOutcome, isSigned = false): Facts {
  const asked = [direct('example.com', 'SOA', outcome), direct('example.com', 'SOA', without, { edns: false })]
  const facts = changeServer(factsOf(), 2, { asked })
  return isSigned ? facts : changeZone(facts, 0, { ds: noData('example.com') })
}

test('silence and errors with EDNS where the plain query is answered', () => {
  assert.deepEqual(outcomesOf(nsEdnsBreaks, withEdns(silence, plain)), ['warning ns-edns-breaks'])
  assert.deepEqual(outcomesOf(nsEdnsBreaks, withEdns(code(rcodes.badVers), plain)), ['warning ns-edns-breaks'])
  assert.deepEqual(outcomesOf(nsEdnsBreaks, withEdns(code(rcodes.notImp), plain)), ['warning ns-edns-breaks'])
})

test('FORMERR is the lawful answer of an old server, but not in a signed zone', () => {
  assert.deepEqual(outcomesOf(nsEdnsBreaks, withEdns(code(rcodes.formErr), plain)), ['notice ns-edns-breaks'])
  const finding = only(nsEdnsBreaks, withEdns(code(rcodes.formErr), plain, true))
  assert.equal(finding.severity, 'error')
  assert.ok(finding.rfc.includes('RFC 4035 §3'))
})

test('a server that is silent without EDNS too is another fault', () => {
  assert.deepEqual(outcomesOf(nsEdnsBreaks, withEdns(silence, silence)), [])
})

test('good servers are fine, and one that was not asked is not checked', () => {
  assert.deepEqual(outcomesOf(nsEdnsBreaks, factsOf()), [])
  const asked = [direct('example.com', 'SOA', notExamined('rate-limited'))]
  assert.deepEqual(outcomesOf(nsEdnsBreaks, changeServer(factsOf(), 2, { asked })), [
    'not checked ns-edns-breaks: rate-limited',
  ])
})
