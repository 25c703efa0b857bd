import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeExchanger } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { wire } from '../../../../test/unit/facts/names.ts'
import { mxData } from '../../../../test/unit/facts/records.ts'
import { answer, failed, noSuchName, notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { hostFromName, nameFromLabels } from '../../../dns/wire-name.ts'
import type { Facts } from '../../facts.ts'
import { mxTargetIsAddress, mxTargetNotHostname, mxTargetSpecialName } from './mx-target-syntax.ts'
import { mxTargetUnresolvable } from './mx-target-unresolvable.ts'

const rules = [mxTargetNotHostname, mxTargetIsAddress, mxTargetSpecialName]

/** The first exchanger has this name; no label is parsed. */
function named(labels: readonly string[], isPrivate = false): Facts {
  const parsed = nameFromLabels(labels)
  if (parsed.kind === 'invalid') throw new Error(parsed.why)
  const facts = changeExchanger(factsOf(), 0, { name: parsed.name, host: hostFromName(parsed.name), addresses: [] })
  return { ...facts, examination: { ...facts.examination, isPrivate } }
}
const text = (name: string, isPrivate = false) => named(name.split('.'), isPrivate)

test('host names are fine, A-labels among them', () => {
  for (const name of [
    'mx1.example.com',
    'MX-1.Example.COM',
    'mx.xn--bcher-kva.example.net',
    '1mx.example.com',
    'mx.3com.com',
  ])
    assert.deepEqual(outcomesOf(rules, text(name)), [], name)
})

test('what no host name has is an error', () => {
  for (const labels of [
    ['mx!1', 'example', 'com'],
    ['-mx', 'example', 'com'],
    ['mx-', 'example', 'com'],
    ['*', 'example', 'com'],
    ['mx1.example', 'com'],
    ['mx', 'xn--99999999999', 'com'],
    ['mx', Buffer.from('bücher').toString('latin1'), 'com'],
  ])
    assert.deepEqual(outcomesOf(rules, named(labels)), ['error mx-target-not-hostname'], labels.join('.'))
})

test('an underscore, and hyphens that are kept for A-labels, resolve and are warnings', () => {
  assert.deepEqual(outcomesOf(rules, text('_mx.example.com')), ['warning mx-target-not-hostname'])
  assert.deepEqual(outcomesOf(rules, text('ab--cd.example.com')), ['warning mx-target-not-hostname'])
})

test('for raw UTF-8 the A-label is given, and nothing raw is printed', () => {
  const finding = only(rules, named(['mx', Buffer.from('bücher').toString('latin1'), 'example']))
  assert.deepEqual(finding.remedy.records, ['example.com. IN MX 10 mx.xn--bcher-kva.example.'])
  assert.match(finding.seen, /^[\x20-\x7e]+$/)
  assert.match(only(rules, named(['\x1b[2J', 'example', 'com'])).seen, /^[\x20-\x7e]+$/)
})

test('addresses in any spelling are addresses, and nothing else', () => {
  for (const labels of [
    ['192', '0', '2', '1'],
    ['[192', '0', '2', '1]'],
    ['2001:db8::1'],
    ['[IPv6:2001:db8::1]'],
    ['10', '1'],
    ['0x7f', '1'],
  ])
    assert.deepEqual(outcomesOf(rules, named(labels)), ['error mx-target-is-address'], labels.join('.'))
  assert.deepEqual(only(rules, text('192.0.2.1')).remedy.records, [
    'mx1.example.com. IN A 192.0.2.1',
    'example.com. IN MX 10 mx1.example.com.',
  ])
})

test('an address without its final dot has the zone behind it, and is no name to give an address to', () => {
  const nobody = { a: noSuchName('192.0.2.1.example.com'), aaaa: noSuchName('192.0.2.1.example.com') }
  const facts = changeExchanger(text('192.0.2.1.example.com'), 0, nobody)
  const finding = only([...rules, mxTargetUnresolvable], facts)
  assert.equal(finding.id, 'mx-target-is-address')
  assert.match(finding.seen, /192\.0\.2\.1\.example\.com is the IP address 192\.0\.2\.1 with .* final dot is missing/)
  assert.deepEqual(finding.remedy.records, [
    'mx1.example.com. IN A 192.0.2.1',
    'example.com. IN MX 10 mx1.example.com.',
  ])
  const twice = only([...rules, mxTargetUnresolvable], changeExchanger(text('mx1.example.com.example.com'), 0, nobody))
  assert.match(twice.remedy.text, /final dot were missing: write mx1\.example\.com\. in/)
  assert.deepEqual(twice.remedy.records, ['example.com. IN MX 10 mx1.example.com.'])
  // A host that is there may be called as it likes.
  assert.deepEqual(outcomesOf(mxTargetIsAddress, text('192.0.2.1.example.com')), [])
})

test('names that only the inside knows', () => {
  for (const name of [
    'localhost',
    'mail.localhost',
    'mail',
    'mail.local',
    'mx.corp.internal',
    'a.test',
    'mx.example',
    'x.onion',
    'x.invalid',
  ])
    assert.deepEqual(outcomesOf(rules, text(name)), ['error mx-target-special-name'], name)
  assert.deepEqual(outcomesOf(rules, text('mx.example.org')), [])
})

test('a domain that only the inside knows is not told to name the very same host', () => {
  const inside = { ...text('mx1.office.test'), domain: 'office.test' as Facts['domain'] }
  const { remedy } = only(rules, inside)
  assert.equal(remedy.records, undefined)
  assert.match(remedy.text, /office\.test is such a name itself: examine it with --private/)
})

test('within a private network they are fine, but for what exists nowhere', () => {
  for (const name of ['mail', 'mail.local', 'mx.corp.internal'])
    assert.deepEqual(outcomesOf(rules, text(name, true)), [], name)
  assert.deepEqual(outcomesOf(rules, text('x.invalid', true)), ['error mx-target-special-name'])
})

test('an old proof of ownership is no exchanger', () => {
  assert.deepEqual(outcomesOf(rules, text('ms12345678.msv1.invalid')), ['notice mx-target-special-name'])
})

test('the domain itself, where there is no MX, is not a target; a failed look-up leaves it open', () => {
  assert.deepEqual(
    outcomesOf(rules, { ...changeExchanger(factsOf(), 0, { name: wire('local'), isImplicit: true }) }),
    [],
  )
  assert.deepEqual(outcomesOf(mxTargetIsAddress, factsOf({ mx: failed('example.com') })), [
    'not checked mx-target-is-address: lookup-failed',
  ])
  assert.deepEqual(outcomesOf(mxTargetIsAddress, factsOf({ mx: notExamined('not-wanted') })), [
    'not checked mx-target-is-address: not-wanted',
  ])
  assert.deepEqual(outcomesOf(rules, factsOf({ mx: answer('example.com', [mxData(0, '.')]), exchangers: [] })), [])
})
