import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyDigest } from '../../../../test/unit/certificate-maker.ts'
import { leafFor } from '../../../../test/unit/facts/certificates.ts'
import { changeExchanger } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { wire } from '../../../../test/unit/facts/names.ts'
import { tlsaData } from '../../../../test/unit/facts/records.ts'
import { answer, failed, noData, noSuchName, notExamined } from '../../../../test/unit/facts/views.ts'
import { findingOf, told } from '../../../../test/unit/outcomes.ts'
import { demanding } from '../../../../test/unit/policies.ts'
import type { ExchangerFacts, Facts, View } from '../../facts.ts'
import {
  daneBaseAlias,
  daneInsecure,
  daneLookupFails,
  daneMissing,
  daneMxInsecure,
  daneSomeExchangers,
} from './presence.ts'

const all = [daneMissing, daneInsecure, daneLookupFails, daneSomeExchangers, daneMxInsecure, daneBaseAlias]
const record = tlsaData(3, 1, 1, keyDigest(leafFor('mx1.example.com')))
const owner = '_25._tcp.mx1.example.com'
const withView = (view: View<'TLSA'>, facts = factsOf()) =>
  changeExchanger(facts, 0, { tlsa: [{ base: wire('mx1.example.com'), place: 'target', view }] })
const none = () => demanding(factsOf(), { sts: 'enforce', tlsa: 'absent' })
const insecureMx = (facts: Facts): Facts => {
  const { mx } = facts
  return mx.kind === 'answer' ? { ...facts, mx: { ...mx, trust: 'insecure' } } : facts
}

test('DANE at every exchanger of a signed domain is fine', () => {
  for (const rule of all) assert.deepEqual(told(rule, factsOf()), [])
})

test('no TLSA at all is one notice, with the records for the keys that are served', () => {
  const finding = findingOf(daneMissing, none())
  assert.equal(finding.severity, 'notice')
  assert.equal(finding.remedy.records?.length, 2)
  assert.match(finding.remedy.records?.[0] ?? '', /^_25\._tcp\.mx1\.example\.com\. IN TLSA 3 1 1 [0-9a-f]{64}$/)
})

test('without DNSSEC nobody misses TLSA, and insecure denial is absence', () => {
  assert.deepEqual(told(daneMissing, insecureMx(none())), [])
  const optOut = withView(noSuchName(owner, { trust: 'insecure' }), none())
  assert.deepEqual(told(daneMissing, optOut), ['notice domain'])
  assert.deepEqual(told(daneLookupFails, optOut), [])
})

test('TLSA at some of the exchangers only is a warning for the others, and nothing else', () => {
  const facts = withView(noSuchName(owner))
  assert.deepEqual(told(daneSomeExchangers, facts), ['warning mx1.example.com'])
  assert.deepEqual(told(daneMissing, facts), [])
})

test('DANE at all exchangers of an unsigned domain is a notice', () => {
  assert.deepEqual(told(daneMxInsecure, insecureMx(factsOf())), ['notice domain'])
  assert.deepEqual(told(daneMxInsecure, insecureMx(none())), [])
})

test('records without DNSSEC are told, and so are records of an exchanger whose address has none', () => {
  assert.match(
    findingOf(daneInsecure, withView(answer(owner, [record], { trust: 'insecure' }))).seen,
    /they are not protected/,
  )
  const insecure = { trust: 'insecure' } as const
  const address: Partial<ExchangerFacts> = {
    a: answer('mx1.example.com', [], insecure),
    aaaa: noData('mx1.example.com', insecure),
  }
  assert.match(findingOf(daneInsecure, changeExchanger(factsOf(), 0, address)).seen, /the address of mx1/)
})

test('a look-up that fails is an error at a secure host, and no question at an insecure one', () => {
  const broken = withView(failed(owner, 'timeout'))
  assert.deepEqual(told(daneLookupFails, broken), ['error mx1.example.com'])
  assert.match(
    findingOf(daneLookupFails, withView(failed(owner, 'servfail', 'bogus'))).seen,
    /without validation it is answered/,
  )
  const insecure = { trust: 'insecure' } as const
  const address: Partial<ExchangerFacts> = {
    a: answer('mx1.example.com', [], insecure),
    aaaa: noData('mx1.example.com', insecure),
  }
  assert.deepEqual(told(daneLookupFails, changeExchanger(broken, 0, address)), [])
})

test('an alias with other records at its end, or at one side only, is a warning', () => {
  const other = tlsaData(3, 1, 1, Buffer.alloc(32, 5))
  const aliased = (target: View<'TLSA'>, original: View<'TLSA'>) =>
    changeExchanger(factsOf(), 0, {
      a: answer('mx1.example.com', [], { aliases: ['host.example.com'] }),
      aaaa: noData('mx1.example.com', { aliases: ['host.example.com'] }),
      tlsa: [
        { base: wire('host.example.com'), place: 'target', view: target },
        { base: wire('mx1.example.com'), place: 'original', view: original },
      ],
    })
  const end = '_25._tcp.host.example.com'
  assert.deepEqual(told(daneBaseAlias, aliased(answer(end, [record]), answer(owner, [record]))), [])
  assert.deepEqual(told(daneBaseAlias, aliased(answer(end, [record]), answer(owner, [other]))), [
    'warning mx1.example.com',
  ])
  assert.deepEqual(told(daneBaseAlias, aliased(answer(end, [record]), noSuchName(owner))), ['warning mx1.example.com'])
  const finding = findingOf(daneBaseAlias, aliased(noSuchName(end), answer(owner, [record])))
  assert.deepEqual(finding.remedy.records, ['_25._tcp.mx1.example.com. IN CNAME _25._tcp.host.example.com.'])
})

test('without a resolver that validates, or without the question, nothing is said of DANE', () => {
  const facts = factsOf()
  const blind = { ...facts, vantage: { ...facts.vantage, validation: 'none' } } as const
  for (const rule of [daneMissing, daneInsecure, daneLookupFails])
    assert.deepEqual(new Set(told(rule, blind).map((text) => text.split(' ')[1])), new Set(['not-validating']), rule.id)
  assert.deepEqual(told(daneMissing, changeExchanger(facts, 0, { tlsa: notExamined('budget-spent') })), [
    'not-checked budget-spent mx1.example.com',
  ])
})
