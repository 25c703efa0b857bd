import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAddress, changeExchanger, changeSession } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { said } from '../../../../test/unit/facts/sessions.ts'
import { notExamined } from '../../../../test/unit/facts/views.ts'
import { told } from '../../../../test/unit/outcomes.ts'
import type { Said } from '../../../smtp/probe-facts.ts'
import type { Facts } from '../../facts.ts'
import { acceptsUnknownRecipient, backupAcceptsUnknown } from './unknown-recipient.ts'

const answering = (at: number | 'all', first: Said, again: Said = first, facts = factsOf()): Facts =>
  changeSession(facts, at, (session) => ({
    ...session,
    recipients: session.recipients.map((one) =>
      one.purpose === 'unknown'
        ? { ...one, said: first }
        : one.purpose === 'unknown-again'
          ? { ...one, said: again }
          : one,
    ),
  }))
const ok = said(250, '2.1.5 ok')
const no = said(550, '5.1.1 no')

test('exchangers that refuse unknown recipients are fine', () => {
  assert.deepEqual(told(acceptsUnknownRecipient, factsOf()), [])
  assert.deepEqual(told(backupAcceptsUnknown, factsOf()), [])
})

test('all take anybody: each address is a warning, and no backup is to blame', () => {
  const facts = answering('all', ok)
  assert.equal(told(acceptsUnknownRecipient, facts).length, 4)
  assert.deepEqual(told(backupAcceptsUnknown, facts), [])
})

test('the later exchanger alone takes anybody: it is the backup that is told, and once', () => {
  const facts = answering(2, ok)
  assert.deepEqual(told(backupAcceptsUnknown, facts), ['warning 198.51.100.1'])
  assert.deepEqual(told(acceptsUnknownRecipient, facts), [])
})

test('between equals there is no backup', () => {
  const facts = changeExchanger(answering(2, ok), 1, { preferences: [10] })
  assert.deepEqual(told(backupAcceptsUnknown, facts), [])
  assert.deepEqual(told(acceptsUnknownRecipient, facts), ['warning 198.51.100.1'])
})

test('who takes one name and refuses the other looks at names', () => {
  assert.deepEqual(told(acceptsUnknownRecipient, answering(0, ok, no)), [])
})

test('4yz, a polite probe and a session of another domain decide nothing', () => {
  const wait = said(450, '4.2.0 greylisted')
  assert.deepEqual(told(acceptsUnknownRecipient, answering(0, ok, wait)), ['not-checked told-to-wait 192.0.2.1'])
  const polite = changeAddress(
    changeSession(factsOf(), 0, (session) => ({ ...session, recipients: session.recipients.slice(0, 3) })),
    0,
    (at) => (at.smtp.kind === 'probed' ? { ...at, smtp: { ...at.smtp, probe: 'polite' } } : at),
  )
  const shared = changeAddress(factsOf(), 0, (at) =>
    at.smtp.kind === 'probed' ? { ...at, smtp: { ...at.smtp, isShared: true } } : at,
  )
  const unseen = changeAddress(factsOf(), 0, { smtp: notExamined('budget-spent') })
  for (const rule of [acceptsUnknownRecipient, backupAcceptsUnknown]) {
    assert.deepEqual(told(rule, polite), ['not-checked not-wanted 192.0.2.1'])
    assert.deepEqual(told(rule, shared), ['not-checked rate-limited 192.0.2.1'])
    assert.deepEqual(told(rule, unseen), ['not-checked budget-spent 192.0.2.1'])
  }
})
