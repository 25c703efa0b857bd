import assert from 'node:assert/strict'
import { test } from 'node:test'
import { intermediate, leafFor } from '../../../../test/unit/facts/certificates.ts'
import { changeAddress, changeExchanger, changeSession } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { collectedMs, host, wire } from '../../../../test/unit/facts/names.ts'
import { mxData } from '../../../../test/unit/facts/records.ts'
import { notSaid, said, secured } from '../../../../test/unit/facts/sessions.ts'
import { answer, notExamined } from '../../../../test/unit/facts/views.ts'
import { findingOf, told } from '../../../../test/unit/outcomes.ts'
import { demanding } from '../../../../test/unit/policies.ts'
import type { Facts } from '../../facts.ts'
import { stsExchangerUncovered, stsExchangerUnverified } from './exchangers.ts'

const naming = (text: string, facts = factsOf()): Facts => {
  const { https } = facts.mtaSts
  assert.ok(https.kind === 'response')
  const body = Buffer.from(`version: STSv1\nmode: enforce\nmax_age: 604800\n${text}\n`)
  return { ...facts, mtaSts: { ...facts.mtaSts, https: { ...https, body } } }
}
const renamed = (name: string) =>
  changeExchanger({ ...factsOf(), mx: answer('example.com', [mxData(10, name)]) }, 0, {
    name: wire(name),
    host: host(name),
  })
const serving = (...chain: Parameters<typeof secured>[0]) =>
  changeSession(factsOf(), 0, { handshake: secured(chain), extras: [] })

test('exchangers that the policy names and that keep it are fine', () => {
  assert.deepEqual(told(stsExchangerUncovered, factsOf()), [])
  assert.deepEqual(told(stsExchangerUnverified, factsOf()), [])
})

test('an exchanger that no line matches is an error in enforce and a warning in testing', () => {
  assert.deepEqual(told(stsExchangerUncovered, naming('mx: mx2.example.com')), ['error mx1.example.com'])
  const testing = demanding(naming('mx: mx2.example.com'), { sts: 'testing', tlsa: 'absent' })
  assert.deepEqual(told(stsExchangerUncovered, testing), ['warning mx1.example.com'])
  assert.deepEqual(
    told(stsExchangerUncovered, demanding(naming('mx: mx2.example.com'), { sts: 'none', tlsa: 'absent' })),
    [],
  )
})

test('a backup that is not covered shows only when the first fails', () => {
  const finding = findingOf(stsExchangerUncovered, naming('mx: mx1.example.com'))
  assert.match(finding.why, /only when the better exchangers fail/)
  assert.deepEqual(finding.remedy.settings, ['mx: mx2.example.com'])
})

test('a target that is no host name is told by the rules of targets, not as one that a policy might name', () => {
  const address = changeExchanger(naming('mx: mx2.example.com'), 0, { name: wire('192.0.2.1'), host: undefined })
  assert.deepEqual(told(stsExchangerUncovered, address), [])
})

test('a wildcard stands for exactly one label', () => {
  assert.deepEqual(told(stsExchangerUncovered, naming('mx: *.example.com')), [])
  assert.deepEqual(told(stsExchangerUncovered, naming('mx: *.example.com', renamed('a.b.example.com'))), [
    'error a.b.example.com',
  ])
  assert.deepEqual(told(stsExchangerUncovered, naming('mx: *.mx1.example.com\nmx: mx2.example.com')), [
    'error mx1.example.com',
  ])
})

test('no STARTTLS, a bad chain, name or date break the policy, though DANE is in order', () => {
  const without = {
    ehlo: said(250, 'mx1.example.com', 'PIPELINING'),
    startTls: notSaid,
    handshake: notSaid,
    ehloInTls: notSaid,
  }
  assert.match(findingOf(stsExchangerUnverified, changeSession(factsOf(), 0, without)).seen, /does not offer STARTTLS/)
  assert.match(findingOf(stsExchangerUnverified, serving(leafFor('mx1.example.com'))).seen, /no public root/)
  assert.match(findingOf(stsExchangerUnverified, serving(leafFor('www.example.net'), intermediate)).seen, /not for mx1/)
  const old = leafFor('mx1.example.com', { notBeforeMs: collectedMs - 9e8, notAfterMs: collectedMs - 9e7 })
  assert.deepEqual(told(stsExchangerUnverified, serving(old, intermediate)), ['error 192.0.2.1'])
  assert.deepEqual(
    told(stsExchangerUnverified, demanding(serving(old, intermediate), { sts: 'testing', tlsa: 'absent' })),
    ['warning 192.0.2.1'],
  )
})

test('an exchanger that is not covered is told once', () => {
  assert.deepEqual(told(stsExchangerUnverified, naming('mx: mx2.example.com', serving(leafFor('mx1.example.com')))), [])
})

test('an address that was not looked at, and 421, are not checked', () => {
  assert.deepEqual(told(stsExchangerUnverified, changeAddress(factsOf(), 0, { smtp: notExamined('not-public') })), [
    'not-checked not-public 192.0.2.1',
  ])
  const busy = changeSession(factsOf(), 0, {
    greeting: said(421, 'busy'),
    ehlo: notSaid,
    startTls: notSaid,
    handshake: notSaid,
  })
  assert.deepEqual(told(stsExchangerUnverified, busy), ['not-checked told-to-wait 192.0.2.1'])
})
