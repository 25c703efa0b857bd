import assert from 'node:assert/strict'
import { test } from 'node:test'
import { finding, notChecked } from '../../../test/unit/check-report.ts'
import { changeSession } from '../../../test/unit/facts/change.ts'
import { factsOf } from '../../../test/unit/facts/facts.ts'
import { mxData } from '../../../test/unit/facts/records.ts'
import { notSaid, said } from '../../../test/unit/facts/sessions.ts'
import { answer, failed, noSuchName, notExamined } from '../../../test/unit/facts/views.ts'
import type { ProbedSession } from '../../smtp/probe-facts.ts'
import { withoutOwnFaults } from '../collect/own-faults.ts'
import type { Facts } from '../facts.ts'
import type { Outcome } from '../finding.ts'
import { addressSubject } from '../read-facts.ts'
import type { RuleId } from '../rule-ids.ts'
import { summarize } from './summary.ts'

const asked: ReadonlySet<RuleId> = new Set<RuleId>(['single-exchanger'])
const told = (facts: Facts, outcomes: readonly Outcome[] = []) => {
  const { state, isOneFaultAway, headline } = summarize({ facts, outcomes }, asked)
  return [state, isOneFaultAway, headline]
}
const single = finding({ id: 'single-exchanger' })

test('mail arrives, and how near it is to failing is said only where that was asked', () => {
  assert.deepEqual(told(factsOf()), ['arrives', false, 'Mail for example.com arrives. Everything is in order.'])
  assert.deepEqual(told(factsOf(), [single]), [
    'arrives',
    true,
    'Mail for example.com arrives. One fault away from failing.',
  ])
  assert.deepEqual(told(factsOf(), [finding()]).slice(1), [false, 'Mail for example.com arrives. 1 warning.'])
  assert.deepEqual(told(factsOf(), [notChecked()]).slice(1), [false, 'Mail for example.com arrives.'])
  assert.equal(summarize({ facts: factsOf(), outcomes: [single] }, new Set()).isOneFaultAway, undefined)
})

test('what is dead already counts: with one exchanger left, one fault is enough', () => {
  const fault = { kind: 'refused', step: 'connect', reply: undefined, detail: 'ECONNREFUSED' } as const
  const dead = { connect: { kind: 'failed', fault, tookMs: 5 }, greeting: notSaid } as const
  const facts = changeSession(changeSession(factsOf(), 2, dead), 3, dead)
  assert.deepEqual(told(facts), [
    'arrives',
    true,
    'Mail for example.com arrives. One fault away from failing: mx1.example.com (192.0.2.1 and 2001:db8:1::1) is all that is left.',
  ])
})

test('nobody says that mail arrives where no exchanger greeted: an endless greeting, a refusal, a wait', () => {
  const garbage = { kind: 'garbage', step: 'greeting', reply: undefined, detail: 'a line without end' } as const
  const greeted = (greeting: ProbedSession['greeting']) => told(changeSession(factsOf(), 'all', { greeting }))
  assert.deepEqual(greeted({ kind: 'failed', fault: garbage, tookMs: 5 })[0], 'does-not-arrive')
  const [state, , headline] = greeted(said(554, 'no service for you'))
  assert.equal(state, 'unknown')
  assert.match(String(headline), /could not be told whether .* arrives: no exchanger that took a connection greeted/)
  for (const greeting of [said(421, 'later'), notSaid]) assert.equal(greeted(greeting)[0], 'unknown')
  const one = changeSession(factsOf(), 0, { greeting: said(554, 'no service for you') })
  assert.equal(told(one)[0], 'arrives')
})

test('an error is mail that fails now', () => {
  assert.deepEqual(told(factsOf(), [finding({ severity: 'error' })]), [
    'arrives-in-part',
    false,
    'Mail for example.com fails for some senders now.',
  ])
})

test('nothing is said of servers that nobody asked', () => {
  const facts = changeSession(factsOf(), 'all', {})
  const unasked: Facts = {
    ...facts,
    exchangers: facts.exchangers.map((exchanger) => ({
      ...exchanger,
      addresses: exchanger.addresses.map((at) => ({ ...at, smtp: notExamined('not-wanted') })),
    })),
  }
  assert.equal(told(unasked)[0], 'way-in-order')
  assert.match(String(told(unasked)[2]), /whether the servers take it was not seen/)
})

test('where nobody answers no mail arrives; where our own way is blocked nobody knows', () => {
  const dead = (kind: 'refused' | 'timeout', port25: 'open' | 'blocked') => {
    const fault = { kind, step: 'connect', reply: undefined, detail: kind } as const
    const connect = { kind: 'failed', fault, tookMs: 5 } as const
    const facts = changeSession(factsOf(), 'all', { connect, greeting: notSaid })
    return told(withoutOwnFaults(facts, { ...facts.vantage, port25 }))
  }
  const doesNotArrive = ['does-not-arrive', undefined, 'Mail for example.com does not arrive.']
  assert.deepEqual(dead('refused', 'open'), doesNotArrive)
  assert.deepEqual(dead('timeout', 'open'), doesNotArrive)
  assert.equal(dead('timeout', 'blocked')[0], 'way-in-order')
})

test('nobody outside reaches an address that is not public: where all are, no mail arrives', () => {
  const facts = factsOf()
  const unreachable = facts.exchangers.flatMap((exchanger) =>
    exchanger.addresses.map(({ address }) =>
      finding({ id: 'address-not-public', severity: 'error', subject: addressSubject(exchanger, address) }),
    ),
  )
  assert.deepEqual(told(facts, unreachable), ['does-not-arrive', undefined, 'Mail for example.com does not arrive.'])
  assert.equal(told(facts, unreachable.slice(1))[0], 'arrives-in-part')
  const [first] = facts.exchangers
  const dead = first && { ...first, addresses: [] }
  assert.equal(
    told({ ...facts, exchangers: [...(dead ? [dead] : []), ...facts.exchangers.slice(1)] }, unreachable)[0],
    'does-not-arrive',
  )
})

test('a look-up that fails is the domain’s fault only where a rule says so', () => {
  const facts = factsOf({ mx: failed('example.com', 'unreachable'), exchangers: [] })
  assert.equal(told(facts)[0], 'unknown')
  assert.match(String(told(facts)[2]), /could not be told .*192\.0\.2\.53/)
  assert.equal(told(facts, [finding({ id: 'domain-lookup-fails', severity: 'error' })])[0], 'does-not-arrive')
})

test('a null MX and a domain that is not there', () => {
  assert.equal(told(factsOf({ mx: answer('example.com', [mxData(0, '.')]), exchangers: [] }))[0], 'takes-no-mail')
  assert.equal(told(factsOf({ mx: noSuchName('example.com'), exchangers: [] }))[0], 'no-such-domain')
})

test('addresses that could not be looked up are not the same as none', () => {
  const facts = factsOf()
  const without = facts.exchangers.map((one) => ({ ...one, addresses: [], a: failed('mx1.example.com') }))
  assert.equal(told({ ...facts, exchangers: without })[0], 'unknown')
})
