import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAddress, changeSession } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { host } from '../../../../test/unit/facts/names.ts'
import { said } from '../../../../test/unit/facts/sessions.ts'
import { notExamined } from '../../../../test/unit/facts/views.ts'
import { findingOf, told } from '../../../../test/unit/outcomes.ts'
import type { AskedRecipient, Said } from '../../../smtp/probe-facts.ts'
import type { Facts } from '../../facts.ts'
import { openRelay } from './open-relay.ts'

const change = (facts: Facts, with_: (one: AskedRecipient) => AskedRecipient): Facts =>
  changeSession(facts, 0, (session) => ({ ...session, recipients: session.recipients.map(with_) }))
const foreign = (answer: Said) =>
  change(factsOf(), (one) => (one.purpose === 'foreign' ? { ...one, said: answer } : one))
const asked = (address: string, answer: Said): AskedRecipient => ({
  purpose: 'foreign-disguised',
  address,
  sender: 'probe@example.net',
  mail: said(250, 'ok'),
  said: answer,
})
const disguised = (address: string, facts = factsOf()) =>
  changeSession(facts, 0, (session) => ({
    ...session,
    recipients: [...session.recipients, asked(address, said(250, '2.1.5 ok'))],
  }))

test('an exchanger that refuses strangers is fine', () => {
  assert.deepEqual(told(openRelay, factsOf()), [])
})

test('a foreign recipient that is taken is an error, and the text says what was not proven', () => {
  const finding = findingOf(openRelay, foreign(said(250, '2.1.5 ok')))
  assert.equal(finding.severity, 'error')
  assert.match(finding.why, /does not prove/)
})

test('disguised recipients count: the % hack, a ! path, quotes, a source route', () => {
  for (const address of [
    'relay%example.net@example.com',
    'example.net!relay@example.com',
    '"relay@example.net"@example.com',
    '@example.com:relay@example.net',
  ])
    assert.deepEqual(told(openRelay, disguised(address)), ['error 192.0.2.1'], address)
})

test('where any name is taken, a disguised one proves nothing, and a source route does', () => {
  const catchAll = change(factsOf(), (one) =>
    one.purpose.startsWith('unknown') ? { ...one, said: said(250, 'ok') } : one,
  )
  assert.deepEqual(told(openRelay, disguised('relay%example.net@example.com', catchAll)), [])
  assert.deepEqual(told(openRelay, disguised('@example.com:relay@example.net', catchAll)), ['error 192.0.2.1'])
})

test('a recipient in the domain itself is not foreign', () => {
  const facts = { ...foreign(said(250, 'ok')), domain: host('example.net') }
  assert.ok(told(openRelay, facts).includes('not-checked not-wanted domain'))
})

test('4yz decides nothing, and neither does a polite probe', () => {
  assert.deepEqual(told(openRelay, foreign(said(450, '4.7.1 later'))), ['not-checked told-to-wait 192.0.2.1'])
  const polite = changeAddress(
    changeSession(factsOf(), 0, (session) => ({ ...session, recipients: session.recipients.slice(0, 3) })),
    0,
    (at) => (at.smtp.kind === 'probed' ? { ...at, smtp: { ...at.smtp, probe: 'polite' } } : at),
  )
  assert.deepEqual(told(openRelay, polite), ['not-checked not-wanted 192.0.2.1'])
  const unseen = changeAddress(factsOf(), 0, { smtp: notExamined('port-25-blocked') })
  assert.deepEqual(told(openRelay, unseen), ['not-checked port-25-blocked 192.0.2.1'])
})
