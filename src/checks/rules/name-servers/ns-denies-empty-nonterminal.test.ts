import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAnswer } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { txtData } from '../../../../test/unit/facts/records.ts'
import { response } from '../../../../test/unit/facts/servers.ts'
import { answer, noSuchName, notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { rcodes } from '../../../dns/types.ts'
import { nsDeniesEmptyNonterminal } from './ns-denies-empty-nonterminal.ts'

const parent = '_tcp.mx1.example.com'
const tlsa = '_25._tcp.mx1.example.com'
const nxDomain = (name: string) => response(name, 'TXT', [], { message: { rcode: rcodes.nxDomain } })

test('NXDOMAIN above a TLSA record', () => {
  const finding = only(nsDeniesEmptyNonterminal, changeAnswer(factsOf(), 2, parent, 'TXT', nxDomain(parent)))
  assert.equal(finding.severity, 'warning')
  assert.match(finding.seen, /_tcp\.mx1\.example\.com does not exist/)
})

test('where nothing is below, NXDOMAIN is right', () => {
  const without = [0, 1, 2, 3, 4, 5].reduce(
    (facts, index) =>
      changeAnswer(changeAnswer(facts, index, parent, 'TXT', nxDomain(parent)), index, tlsa, 'TLSA', nxDomain(tlsa)),
    factsOf(),
  )
  assert.deepEqual(outcomesOf(nsDeniesEmptyNonterminal, without), [])
})

test('a DKIM key below a name that is denied', () => {
  const selectors = [{ selector: 's1', txt: answer('s1._domainkey.example.com', [txtData('v=DKIM1; p=x')]) }]
  const dkim = { parent: noSuchName('_domainkey.example.com'), selectors }
  assert.deepEqual(outcomesOf(nsDeniesEmptyNonterminal, factsOf({ dkim })), ['warning ns-denies-empty-nonterminal'])
  assert.deepEqual(
    outcomesOf(nsDeniesEmptyNonterminal, factsOf({ dkim: { ...dkim, selectors: notExamined('not-wanted') } })),
    [],
  )
})

test('good servers are fine, and what was not asked is not checked', () => {
  assert.deepEqual(outcomesOf(nsDeniesEmptyNonterminal, factsOf()), [])
  assert.deepEqual(
    outcomesOf(nsDeniesEmptyNonterminal, changeAnswer(factsOf(), 2, parent, 'TXT', notExamined('budget-spent'))),
    ['not checked ns-denies-empty-nonterminal: budget-spent'],
  )
})
