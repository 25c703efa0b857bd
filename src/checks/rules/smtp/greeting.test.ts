import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAddress, changeSession } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { notSaid, said } from '../../../../test/unit/facts/sessions.ts'
import { notExamined } from '../../../../test/unit/facts/views.ts'
import { findingOf, told } from '../../../../test/unit/outcomes.ts'
import type { Said } from '../../../smtp/probe-facts.ts'
import { withoutOwnFaults } from '../../collect/own-faults.ts'
import type { Facts } from '../../facts.ts'
import { smtpGreetingRefuses, smtpGreetingSlow } from './greeting.ts'

const slow = (tookMs: number): Said => ({ ...(said(220, 'mx ESMTP') as Extract<Said, { kind: 'reply' }>), tookMs })
const silent = (tookMs: number): Said => ({
  kind: 'failed',
  fault: { kind: 'timeout', step: 'greeting', reply: undefined, detail: 'no answer in time' },
  tookMs,
})
const rejected = { greeting: said(554, '5.7.1 go away\u001b[2J'), ehlo: notSaid }

test('exchangers that greet with 220 at once are fine', () => {
  assert.deepEqual(told(smtpGreetingRefuses, factsOf()), [])
  assert.deepEqual(told(smtpGreetingSlow, factsOf()), [])
})

test('a greeting of 554 at one address is a warning with its text, which may be aimed at us', () => {
  const finding = findingOf(smtpGreetingRefuses, changeSession(factsOf(), 1, rejected))
  assert.equal(finding.severity, 'warning')
  assert.match(finding.seen, /"554 5\.7\.1 go away\\x1b\[2J"/)
  assert.match(finding.why, /another network/)
})

test('a greeting of 554 at every address is an error', () => {
  const facts = changeSession(factsOf(), 'all', rejected)
  assert.deepEqual(told(smtpGreetingRefuses, facts), [
    'error 192.0.2.1',
    'error 2001:db8:1::1',
    'error 198.51.100.1',
    'error 2001:db8:2::1',
  ])
})

test('521 says that the host never takes mail', () => {
  const finding = findingOf(smtpGreetingRefuses, changeSession(factsOf(), 0, { greeting: said(521, 'no mail here') }))
  assert.match(finding.why, /never takes mail/)
})

test('a greeting of 421 is a request for patience and no refusal', () => {
  const facts = changeSession(factsOf(), 0, { greeting: said(421, '4.7.0 too many connections') })
  assert.deepEqual(told(smtpGreetingRefuses, facts), ['not-checked told-to-wait 192.0.2.1'])
})

test('a later session that was greeted counts', () => {
  const facts = changeAddress(factsOf(), 0, (at) => {
    if (at.smtp.kind !== 'probed') throw new Error('not probed')
    const [good] = at.smtp.sessions
    const waiting = { ...good, greeting: said(421, 'later') }
    return { ...at, smtp: { ...at.smtp, sessions: [waiting, good] } }
  })
  assert.deepEqual(told(smtpGreetingRefuses, facts), [])
})

test('a greeting after 6 s is a notice, after 40 s or not within 60 s a warning', () => {
  const at = (greeting: Said) => told(smtpGreetingSlow, changeSession(factsOf(), 0, { greeting }))
  assert.deepEqual(at(slow(5_000)), [])
  assert.deepEqual(at(slow(6_000)), ['notice 192.0.2.1'])
  assert.deepEqual(at(slow(40_000)), ['warning 192.0.2.1'])
  assert.deepEqual(at(silent(60_000)), ['warning 192.0.2.1'])
})

test('a wait that our own time cut short is not checked, and so is a connection that broke', () => {
  const at = (greeting: Said) => told(smtpGreetingSlow, changeSession(factsOf(), 0, { greeting }))
  assert.deepEqual(at(silent(4_000)), ['not-checked no-answer 192.0.2.1'])
  const closed = {
    kind: 'closed',
    step: 'greeting',
    reply: undefined,
    detail: 'the server closed the connection',
  } as const
  assert.deepEqual(at({ kind: 'failed', fault: closed, tookMs: 50_000 }), ['not-checked no-answer 192.0.2.1'])
})

test('what was not examined is told so, once where it is the same everywhere', () => {
  const one = changeAddress(factsOf(), 0, { smtp: notExamined('port-25-blocked') })
  const all = [0, 1, 2, 3].reduce(
    (facts, at) => changeAddress(facts, at, { smtp: notExamined('not-wanted') }),
    factsOf(),
  )
  for (const rule of [smtpGreetingRefuses, smtpGreetingSlow]) {
    assert.deepEqual(told(rule, one), ['not-checked port-25-blocked 192.0.2.1'])
    assert.deepEqual(told(rule, all), ['not-checked not-wanted domain'])
  }
})

test('without a connection nothing is known; what was silent is our own fault where we have one, what refused is not', () => {
  const without = (kind: 'refused' | 'timeout', ours: Partial<Facts['vantage']>) => {
    const fault = { kind, step: 'connect', reply: undefined, detail: kind } as const
    const facts = changeSession(factsOf(), 1, { connect: { kind: 'failed', fault, tookMs: 10 }, greeting: notSaid })
    return told(smtpGreetingRefuses, withoutOwnFaults(facts, { ...facts.vantage, ...ours }))
  }
  for (const ours of [{}, { ipv6: 'broken' }, { port25: 'blocked' }] as const)
    assert.deepEqual(without('refused', ours), ['not-checked no-answer 2001:db8:1::1'])
  assert.deepEqual(without('timeout', {}), ['not-checked no-answer 2001:db8:1::1'])
  assert.deepEqual(without('timeout', { ipv6: 'broken' }), ['not-checked no-family 2001:db8:1::1'])
  assert.deepEqual(without('timeout', { port25: 'blocked' }), ['not-checked port-25-blocked 2001:db8:1::1'])
})
