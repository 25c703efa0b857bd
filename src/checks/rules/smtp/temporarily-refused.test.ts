import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAddress, changeSession } from '../../../../test/unit/facts/change.ts'
import { contextOf, factsOf } from '../../../../test/unit/facts/facts.ts'
import { said } from '../../../../test/unit/facts/sessions.ts'
import { notExamined } from '../../../../test/unit/facts/views.ts'
import { told } from '../../../../test/unit/outcomes.ts'
import { runRules } from '../../run-rules.ts'
import { allRules } from '../all.ts'
import { smtpTemporarilyRefused } from './temporarily-refused.ts'

test('a server that takes what it is asked is fine', () => {
  assert.deepEqual(told(smtpTemporarilyRefused, factsOf()), [])
})

test('421 to the greeting, and a connection that drops, are told as not checked', () => {
  const busy = changeSession(factsOf(), 0, { greeting: said(421, '4.3.2 busy') })
  assert.deepEqual(told(smtpTemporarilyRefused, busy), ['not-checked told-to-wait 192.0.2.1'])
  const fault = { kind: 'closed', step: 'hello', reply: undefined, detail: 'the server closed the connection' } as const
  const dropped = changeSession(factsOf(), 0, { ehlo: { kind: 'failed', fault, tookMs: 5 } })
  assert.deepEqual(told(smtpTemporarilyRefused, dropped), ['not-checked no-answer 192.0.2.1'])
})

test('greylisting at RCPT is no finding of any rule', () => {
  const facts = changeSession(factsOf(), 0, (session) => ({
    ...session,
    recipients: session.recipients.map((recipient) => ({
      ...recipient,
      said: said(451, '4.7.1 greylisted, come back'),
    })),
  }))
  assert.deepEqual(told(smtpTemporarilyRefused, facts), ['not-checked told-to-wait 192.0.2.1'])
  const outcomes = runRules(allRules, facts, contextOf())
  assert.deepEqual(
    outcomes.filter(({ kind }) => kind === 'finding'),
    [],
  )
})

test('an address that was not looked at is told as not checked', () => {
  const facts = changeAddress(factsOf(), 2, { smtp: notExamined('budget-spent') })
  assert.deepEqual(told(smtpTemporarilyRefused, facts), ['not-checked budget-spent 198.51.100.1'])
})
