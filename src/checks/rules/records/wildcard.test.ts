import assert from 'node:assert/strict'
import { test } from 'node:test'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { wire } from '../../../../test/unit/facts/names.ts'
import { aData, mxData, txtData } from '../../../../test/unit/facts/records.ts'
import { answer, failed, noData, notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { domainByWildcard, wildcardMx, wildcardTxt } from './wildcard.ts'

const name = 'waypost-3c1d.example.com'
const foreign = txtData('v=spf1 -all')

test('a random label with MX is a wildcard', () => {
  const { wildcard } = factsOf()
  const finding = only(
    wildcardMx,
    factsOf({ wildcard: { ...wildcard, mx: answer(name, [mxData(10, 'mx1.example.com')]) } }),
  )
  assert.equal(finding.severity, 'notice')
  assert.match(finding.seen, /: mx1\.example\.com\.$/)
})

test('a domain that a wildcard makes is told as that, and not as one that has a wildcard below it', () => {
  const facts = factsOf()
  const [own, other] = [[mxData(10, 'mx1.example.com')], [mxData(10, 'mx9.example.com')]]
  const beside = (data = own) => ({
    name: wire('waypost-9.com'),
    type: 'MX' as const,
    view: answer('waypost-9.com', data),
  })
  const made = {
    ...facts,
    mx: answer('example.com', own),
    wildcard: { ...facts.wildcard, mx: answer(name, own), beside: beside() },
  }
  const finding = only([domainByWildcard, wildcardMx], made)
  assert.deepEqual([finding.id, finding.severity], ['domain-by-wildcard', 'warning'])
  assert.match(
    finding.seen,
    /^example\.com has no records of its own: its MX records come from a wildcard.* waypost-9\.com: 10 mx1/,
  )
  assert.deepEqual(finding.remedy.records, ['example.com. IN MX 10 mx1.example.com.'])
  for (const wildcard of [
    { ...made.wildcard, beside: beside(other) },
    { ...made.wildcard, mx: answer(name, other) },
    { ...made.wildcard, beside: undefined },
  ])
    assert.equal(only([domainByWildcard, wildcardMx], { ...made, wildcard }).id, 'wildcard-mx')
  const failing = { ...beside(), view: failed('waypost-9.com') }
  assert.deepEqual(outcomesOf([domainByWildcard], { ...made, wildcard: { ...made.wildcard, beside: failing } }), [
    'not checked domain-by-wildcard: lookup-failed',
  ])
})

test('a domain whose address comes from a wildcard', () => {
  const facts = factsOf()
  const addresses = [aData('203.0.113.80')]
  const made = {
    ...facts,
    mx: noData('example.com'),
    a: answer('example.com', addresses),
    wildcard: {
      ...facts.wildcard,
      address: { name: wire(name), type: 'A' as const, view: answer(name, addresses) },
      beside: { name: wire('waypost-9.com'), type: 'A' as const, view: answer('waypost-9.com', addresses) },
    },
  }
  const finding = only(domainByWildcard, made)
  assert.match(finding.seen, /it has no MX record, and its address comes from a wildcard/)
  assert.match(finding.why, /senders take that address for its exchanger/)
  const other = { ...made, wildcard: { ...made.wildcard, address: undefined, beside: undefined } }
  assert.deepEqual(outcomesOf([domainByWildcard], other), [])
})

test('wildcard TXT is told once, with the places that it covers', () => {
  const facts = factsOf()
  const covered = {
    ...facts,
    wildcard: { ...facts.wildcard, txt: answer(name, [foreign]) },
    mtaSts: { ...facts.mtaSts, txt: answer('_mta-sts.example.com', [foreign]) },
    tlsRpt: { ...facts.tlsRpt, txt: answer('_smtp._tls.example.com', [foreign]) },
  }
  const finding = only([wildcardMx, wildcardTxt], covered)
  assert.deepEqual([finding.id, finding.severity], ['wildcard-txt', 'warning'])
  assert.match(finding.seen, /_mta-sts\.example\.com and _smtp\._tls\.example\.com/)
  assert.doesNotMatch(finding.seen, /_dmarc/)
})

test('a wildcard that covers none of the places, and what it says, does no harm', () => {
  const facts = factsOf()
  const wildcard = { ...facts.wildcard, txt: answer(name, [txtData('\x1b[2Jhello')]) }
  assert.deepEqual(outcomesOf([wildcardMx, wildcardTxt], { ...facts, wildcard }), [])
  const mtaSts = { ...facts.mtaSts, txt: answer('_mta-sts.example.com', [txtData('\x1b[2Jhello')]) }
  assert.doesNotMatch(only(wildcardTxt, { ...facts, wildcard, mtaSts }).seen, /\x1b/)
})

test('no wildcard is fine, and what was not asked is not checked', () => {
  const { wildcard } = factsOf()
  assert.deepEqual(
    outcomesOf([wildcardMx, wildcardTxt], factsOf({ wildcard: { ...wildcard, mx: noData(name), txt: noData(name) } })),
    [],
  )
  const unknown = { ...wildcard, mx: failed(name), txt: notExamined('budget-spent') }
  assert.deepEqual(outcomesOf([wildcardMx, wildcardTxt], factsOf({ wildcard: unknown })), [
    'not checked wildcard-mx: lookup-failed',
    'not checked wildcard-txt: budget-spent',
  ])
})
