import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAddress, changeSession } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { notSaid, said } from '../../../../test/unit/facts/sessions.ts'
import { notExamined } from '../../../../test/unit/facts/views.ts'
import { findingOf, told } from '../../../../test/unit/outcomes.ts'
import { opportunistic } from '../../../../test/unit/policies.ts'
import { smtpInjectsBeforeTls, smtpNoStarttls, smtpStarttlsRefused, smtpTlsRequired } from './starttls.ts'

const none = (...lines: string[]) => ({
  ehlo: said(250, 'mx1.example.com', 'PIPELINING', ...lines),
  mailInClear: notSaid,
  startTls: notSaid,
  handshake: notSaid,
  ehloInTls: notSaid,
})

test('good exchangers are fine', () => {
  for (const rule of [smtpNoStarttls, smtpStarttlsRefused, smtpTlsRequired, smtpInjectsBeforeTls])
    assert.deepEqual(told(rule, factsOf()), [])
})

test('no STARTTLS is a warning without a policy, and an error under MTA-STS or DANE', () => {
  assert.deepEqual(told(smtpNoStarttls, changeSession(opportunistic(factsOf()), 0, none())), ['warning 192.0.2.1'])
  const finding = findingOf(smtpNoStarttls, changeSession(factsOf(), 0, none()))
  assert.equal(finding.severity, 'error')
  assert.match(finding.why, /MTA-STS and DANE/)
})

test('a device that overwrites the keyword is named as the cause', () => {
  for (const line of ['XXXXXXXA', 'STARTTLX']) {
    const finding = findingOf(smtpNoStarttls, changeSession(opportunistic(factsOf()), 0, none(line)))
    assert.match(finding.seen, /device on the way/)
  }
})

test('421 and silence at EHLO are never "no STARTTLS"', () => {
  const busy = changeSession(factsOf(), 0, { greeting: said(421, 'too many'), ...none(), ehlo: notSaid })
  assert.deepEqual(told(smtpNoStarttls, busy), ['not-checked told-to-wait 192.0.2.1'])
  const ehlo = said(421, '4.7.0 too many errors')
  assert.deepEqual(told(smtpNoStarttls, changeSession(factsOf(), 0, { ...none(), ehlo })), [
    'not-checked told-to-wait 192.0.2.1',
  ])
})

test('STARTTLS that is offered and refused, or ends the connection', () => {
  const busy = findingOf(
    smtpStarttlsRefused,
    changeSession(opportunistic(factsOf()), 0, { startTls: said(454, '4.7.0 TLS not available') }),
  )
  assert.equal(busy.severity, 'warning')
  assert.match(busy.seen, /matter of load/)
  const fault = {
    kind: 'closed',
    step: 'starttls',
    reply: undefined,
    detail: 'the server closed the connection',
  } as const
  const facts = changeSession(factsOf(), 0, { startTls: { kind: 'failed', fault, tookMs: 4 } })
  assert.deepEqual(told(smtpStarttlsRefused, facts), ['error 192.0.2.1'])
  assert.deepEqual(told(smtpStarttlsRefused, changeSession(factsOf(), 0, { startTls: said(421, 'later') })), [
    'not-checked told-to-wait 192.0.2.1',
  ])
})

test('no STARTTLS is not also STARTTLS refused, or required', () => {
  const facts = changeSession(factsOf(), 0, none())
  for (const rule of [smtpStarttlsRefused, smtpTlsRequired, smtpInjectsBeforeTls])
    assert.deepEqual(told(rule, facts), [])
})

test('530 to MAIL in the clear is a demand for TLS; another refusal is one only where TLS makes it good', () => {
  const at = (mailInClear: ReturnType<typeof said>, mailFromNull = said(250, 'ok')) =>
    told(smtpTlsRequired, changeSession(factsOf(), 0, { mailInClear, mailFromNull }))
  assert.deepEqual(at(said(530, '5.7.0 Must issue a STARTTLS command first')), ['warning 192.0.2.1'])
  assert.deepEqual(at(said(550, '5.7.1 no')), ['warning 192.0.2.1'])
  assert.deepEqual(at(said(550, '5.7.1 no'), said(550, '5.7.1 no')), [])
  assert.deepEqual(at(said(451, '4.7.1 wait')), ['not-checked told-to-wait 192.0.2.1'])
})

test('an answer to a command from before TLS is told, and the question itself is asked on demand alone', () => {
  const at = (injected: Parameters<typeof changeSession>[2]) =>
    told(smtpInjectsBeforeTls, changeSession(factsOf(), 0, injected))
  assert.deepEqual(at({ injected: { kind: 'answered' } }), ['warning 192.0.2.1'])
  assert.deepEqual(at({ injected: { kind: 'ignored' } }), [])
  assert.deepEqual(at({ injected: notSaid }), [])
  assert.deepEqual(
    at({ injected: { kind: 'not-said', reason: 'told-to-wait', why: 'The server has asked for patience.' } }),
    ['not-checked told-to-wait 192.0.2.1'],
  )
})

test('an address that was not looked at is told as not checked', () => {
  const facts = changeAddress(factsOf(), 0, { smtp: notExamined('port-25-blocked') })
  for (const rule of [smtpNoStarttls, smtpStarttlsRefused, smtpTlsRequired, smtpInjectsBeforeTls])
    assert.deepEqual(told(rule, facts), ['not-checked port-25-blocked 192.0.2.1'])
})
