import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAddress, changeSession } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { notSaid, said } from '../../../../test/unit/facts/sessions.ts'
import { notExamined } from '../../../../test/unit/facts/views.ts'
import { findingOf, told } from '../../../../test/unit/outcomes.ts'
import type { RecipientPurpose, Said } from '../../../smtp/probe-facts.ts'
import type { Facts } from '../../facts.ts'
import {
  exchangersDisagree,
  smtpAbuseRefused,
  smtpBouncesRefused,
  smtpDomainRefused,
  smtpPostmasterRefused,
} from './own-recipients.ts'

const all = [smtpBouncesRefused, smtpDomainRefused, smtpPostmasterRefused, smtpAbuseRefused, exchangersDisagree]
const relayDenied = said(554, '5.7.1 <postmaster@example.com>: Relay access denied')
const blocked = said(550, '5.7.1 Client host blocked by a list')

/** The first exchanger by IPv4 says something else to recipients of these purposes; `at` for others. */
function answering(answers: Partial<Record<RecipientPurpose, Said>>, at: number | 'all' = 0, facts = factsOf()): Facts {
  return changeSession(facts, at, (session) => ({
    ...session,
    recipients: session.recipients.map((one) => ({ ...one, said: answers[one.purpose] ?? one.said })),
  }))
}

const everything = (answer: Said) => ({
  postmaster: answer,
  'bare-postmaster': answer,
  abuse: answer,
  unknown: answer,
  'unknown-again': answer,
  foreign: answer,
})

const shared = (facts: Facts) =>
  changeAddress(facts, 0, (at) => (at.smtp.kind === 'probed' ? { ...at, smtp: { ...at.smtp, isShared: true } } : at))

const known = (answer: Said, at: number, facts: Facts) =>
  changeSession(facts, at, (session) => ({
    ...session,
    recipients: [
      ...session.recipients,
      { purpose: 'known', address: 'ann@example.com', sender: null, mail: said(250, 'ok'), said: answer },
    ],
  }))

test('exchangers that take what they must are fine', () => {
  for (const rule of all) assert.deepEqual(told(rule, factsOf()), [])
})

test('MAIL FROM:<> refused is an error', () => {
  const facts = changeSession(factsOf(), 0, { mailFromNull: said(550, '5.1.8 sender rejected'), recipients: [] })
  assert.deepEqual(told(smtpBouncesRefused, facts), ['error 192.0.2.1'])
})

test('an empty sender that is refused at RCPT alone is found too', () => {
  const facts = answering({ postmaster: said(550, '5.1.7 empty sender not allowed') })
  assert.match(findingOf(smtpBouncesRefused, facts).seen, /RCPT after MAIL FROM:<>/)
  assert.deepEqual(told(smtpBouncesRefused, answering({ unknown: said(550, '5.1.8 no') })), [])
})

test('who refuses every sender says nothing about the empty one', () => {
  const facts = changeSession(factsOf(), 0, (session) => ({
    ...session,
    mailFromNull: blocked,
    recipients: session.recipients.map((one) => ({ ...one, mail: blocked, said: notSaid })),
  }))
  assert.deepEqual(told(smtpBouncesRefused, facts), ['not-checked depends-on-failed 192.0.2.1'])
})

test('4yz to MAIL is no refusal', () => {
  const facts = changeSession(factsOf(), 0, { mailFromNull: said(451, '4.3.0 later') })
  assert.deepEqual(told(smtpBouncesRefused, facts), ['not-checked told-to-wait 192.0.2.1'])
})

test('"relaying denied" for all of the domain is a warning at one address, an error at all', () => {
  const denied = { postmaster: relayDenied, abuse: relayDenied }
  assert.deepEqual(told(smtpDomainRefused, answering(denied)), ['warning 192.0.2.1'])
  assert.equal(told(smtpDomainRefused, answering(denied, 'all'))[0], 'error 192.0.2.1')
  assert.deepEqual(told(smtpDomainRefused, answering({ postmaster: relayDenied })), [])
  assert.deepEqual(told(smtpPostmasterRefused, answering(denied)), [])
  assert.deepEqual(told(smtpAbuseRefused, answering(denied)), [])
})

test('550 5.7.1 to everything may mean our address, and is no finding', () => {
  const facts = answering(everything(blocked))
  for (const rule of [smtpDomainRefused, smtpPostmasterRefused, smtpAbuseRefused])
    assert.deepEqual(told(rule, facts), ['not-checked depends-on-failed 192.0.2.1'])
})

test('postmaster refused, with the domain or bare, is a warning, abuse a notice', () => {
  const no = said(550, '5.1.1 no such user')
  assert.match(findingOf(smtpPostmasterRefused, answering({ postmaster: no })).seen, /postmaster@example\.com/)
  assert.match(findingOf(smtpPostmasterRefused, answering({ 'bare-postmaster': no })).seen, /<Postmaster>/)
  assert.deepEqual(told(smtpAbuseRefused, answering({ abuse: no })), ['notice 192.0.2.1'])
})

test('greylisting is no refusal', () => {
  const facts = answering(everything(said(450, '4.2.0 greylisted')))
  for (const rule of [smtpDomainRefused, smtpPostmasterRefused, smtpAbuseRefused])
    assert.deepEqual(told(rule, facts), ['not-checked told-to-wait 192.0.2.1'])
})

test('a session that was held for another domain says nothing about recipients of this one', () => {
  const facts = shared(answering({ postmaster: relayDenied, abuse: relayDenied }))
  for (const rule of [smtpDomainRefused, smtpPostmasterRefused, smtpAbuseRefused])
    assert.deepEqual(told(rule, facts), ['not-checked rate-limited 192.0.2.1'])
})

test('a real recipient that one exchanger takes and another refuses', () => {
  const taken = [0, 1, 2].reduce((facts, at) => known(said(250, 'ok'), at, facts), factsOf())
  const finding = findingOf(exchangersDisagree, known(said(550, '5.1.1 no such user'), 3, taken))
  assert.equal(finding.severity, 'warning')
  assert.match(finding.seen, /ann@example\.com is taken by .* refused by mx2\.example\.com \(2001:db8:2::1\)/)
  assert.deepEqual(told(exchangersDisagree, known(said(250, 'ok'), 3, taken)), [])
  assert.deepEqual(told(exchangersDisagree, known(said(450, 'later'), 3, taken)), ['not-checked told-to-wait domain'])
})

test('an address that was not looked at is told as not checked', () => {
  const facts = changeAddress(factsOf(), 3, { smtp: notExamined('not-public') })
  for (const rule of all.slice(0, 4)) assert.deepEqual(told(rule, facts), ['not-checked not-public 2001:db8:2::1'])
  const busy = changeSession(factsOf(), 0, { greeting: said(421, 'busy'), mailFromNull: notSaid, recipients: [] })
  assert.deepEqual(told(smtpPostmasterRefused, busy), ['not-checked told-to-wait 192.0.2.1'])
})
