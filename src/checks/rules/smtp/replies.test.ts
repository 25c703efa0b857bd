import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAddress, changeSession } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { said } from '../../../../test/unit/facts/sessions.ts'
import { notExamined } from '../../../../test/unit/facts/views.ts'
import { findingOf, told } from '../../../../test/unit/outcomes.ts'
import type { Said } from '../../../smtp/probe-facts.ts'
import { smtpRepliesSlow, smtpReplyMalformed } from './replies.ts'

const garbage: Said = {
  kind: 'failed',
  fault: { kind: 'garbage', step: 'hello', reply: undefined, detail: 'a line without a code' },
  tookMs: 5,
}
const after = (tookMs: number): Said => ({ ...(said(250, 'ok') as Extract<Said, { kind: 'reply' }>), tookMs })

test('exchangers that speak SMTP in time are fine', () => {
  assert.deepEqual(told(smtpReplyMalformed, factsOf()), [])
  assert.deepEqual(told(smtpRepliesSlow, factsOf()), [])
})

test('what is no reply is a warning at one address and an error at all', () => {
  assert.match(findingOf(smtpReplyMalformed, changeSession(factsOf(), 0, { ehlo: garbage })).seen, /answer to EHLO/)
  const facts = changeSession(factsOf(), 'all', { greeting: garbage })
  assert.equal(told(smtpReplyMalformed, facts)[0], 'error 192.0.2.1')
})

test('a reply after 12 s is a notice, after 30 s, or none by then, a warning', () => {
  const at = (mailFromNull: Said) => told(smtpRepliesSlow, changeSession(factsOf(), 0, { mailFromNull }))
  assert.deepEqual(at(after(9_000)), [])
  assert.deepEqual(at(after(12_000)), ['notice 192.0.2.1'])
  assert.deepEqual(at(after(31_000)), ['warning 192.0.2.1'])
  const fault = { kind: 'timeout', step: 'mail', reply: undefined, detail: 'no answer in time' } as const
  assert.deepEqual(at({ kind: 'failed', fault, tookMs: 30_000 }), ['warning 192.0.2.1'])
  assert.deepEqual(at({ kind: 'failed', fault, tookMs: 2_000 }), [])
})

test('a slow greeting is another finding', () => {
  assert.deepEqual(
    told(smtpRepliesSlow, changeSession(factsOf(), 0, { greeting: { ...said(220, 'hi'), tookMs: 50_000 } as Said })),
    [],
  )
})

test('an address that was not looked at is told as not checked', () => {
  const facts = changeAddress(factsOf(), 1, { smtp: notExamined('not-public') })
  for (const rule of [smtpReplyMalformed, smtpRepliesSlow])
    assert.deepEqual(told(rule, facts), ['not-checked not-public 2001:db8:1::1'])
})
