import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAddress } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { host } from '../../../../test/unit/facts/names.ts'
import { aData } from '../../../../test/unit/facts/records.ts'
import { answer, failed, noSuchName } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import type { BlocklistFacts } from '../../facts.ts'
import { addressBlocklisted } from './address-blocklisted.ts'

const zone = host('bl.example.net')
const entry = (name: string, ...codes: string[]) =>
  codes.length > 0 ? answer(`${name}.bl.example.net`, codes.map(aData)) : noSuchName(`${name}.bl.example.net`)
const withList = (change: Partial<BlocklistFacts> = {}) => {
  const list: BlocklistFacts = {
    zone,
    mustBeListed: entry('2.0.0.127', '127.0.0.2'),
    mustNotBeListed: entry('1.0.0.127'),
    address: entry('1.2.0.192'),
    ...change,
  }
  return changeAddress(factsOf(), 0, { blocklists: [list] })
}

test('an entry is a notice with its codes', () => {
  const finding = only(addressBlocklisted, withList({ address: entry('1.2.0.192', '127.0.0.4', '127.0.0.10') }))
  assert.equal(finding.severity, 'notice')
  assert.match(finding.seen, /bl\.example\.net \(127\.0\.0\.4 and 127\.0\.0\.10\)/)
})

test('an operator’s refusal is no listing', () => {
  assert.deepEqual(outcomesOf(addressBlocklisted, withList({ address: entry('1.2.0.192', '127.255.255.254') })), [
    'not checked address-blocklisted: rate-limited',
  ])
  const all = withList({ mustBeListed: entry('2.0.0.127', '127.255.255.254') })
  assert.deepEqual(outcomesOf(addressBlocklisted, all), ['not checked address-blocklisted: rate-limited'])
})

test('a list that does not know its test entries tells nothing: it lists everybody, or nobody, or is for sale', () => {
  const listed = { address: entry('1.2.0.192', '127.0.0.2') }
  assert.deepEqual(
    outcomesOf(addressBlocklisted, withList({ ...listed, mustNotBeListed: entry('1.0.0.127', '127.0.0.2') })),
    ['not checked address-blocklisted: depends-on-failed'],
  )
  assert.deepEqual(outcomesOf(addressBlocklisted, withList({ ...listed, mustBeListed: entry('2.0.0.127') })), [
    'not checked address-blocklisted: depends-on-failed',
  ])
  assert.deepEqual(outcomesOf(addressBlocklisted, withList({ address: entry('1.2.0.192', '203.0.113.7') })), [
    'not checked address-blocklisted: depends-on-failed',
  ])
})

test('no entry is fine, no list was asked for is too, and a look-up that fails leaves it open', () => {
  assert.deepEqual(outcomesOf(addressBlocklisted, withList()), [])
  assert.deepEqual(outcomesOf(addressBlocklisted, factsOf()), [])
  assert.deepEqual(outcomesOf(addressBlocklisted, withList({ address: failed('1.2.0.192.bl.example.net') })), [
    'not checked address-blocklisted: lookup-failed',
  ])
})
