import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAddress, changeSession } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { host } from '../../../../test/unit/facts/names.ts'
import { said } from '../../../../test/unit/facts/sessions.ts'
import { answer, failed, noSuchName, notExamined } from '../../../../test/unit/facts/views.ts'
import { findingOf, told } from '../../../../test/unit/outcomes.ts'
import type { ExchangerAddress, Facts, View } from '../../facts.ts'
import { smtpNameInvalid } from './name-invalid.ts'

const greeted = (word: string, ownNames: ExchangerAddress['ownNames'] = []): Facts =>
  changeAddress(
    changeSession(factsOf(), 0, { greeting: said(220, `${word} ready`), ehlo: said(250, word, 'STARTTLS') }),
    0,
    {
      ownNames,
    },
  )
const known = (name: string, a: View<'A'>, aaaa: View<'AAAA'>) => [{ name: host(name), a, aaaa }]

test('the name of the exchanger is fine, and so is another one that resolves', () => {
  assert.deepEqual(told(smtpNameInvalid, factsOf()), [])
  const name = 'pool7.example.net'
  const facts = greeted(name, known(name, answer(name, []), noSuchName(name)))
  assert.deepEqual(told(smtpNameInvalid, facts), [])
})

test('one label, asterisks, an address and a name that does not exist are told', () => {
  assert.match(findingOf(smtpNameInvalid, greeted('localhost')).seen, /one label/)
  assert.match(findingOf(smtpNameInvalid, greeted('*****')).seen, /no host name/)
  assert.match(findingOf(smtpNameInvalid, greeted('192.0.2.1')).seen, /no host name/)
  const name = 'mail.example.invalid'
  const finding = findingOf(smtpNameInvalid, greeted(name, known(name, noSuchName(name), noSuchName(name))))
  assert.equal(finding.severity, 'notice')
  assert.match(finding.seen, /has no address/)
})

test('the greeting may have an address literal, the answer to EHLO may not', () => {
  const facts = changeSession(factsOf(), 0, { greeting: said(220, '[192.0.2.1] ready') })
  assert.deepEqual(told(smtpNameInvalid, facts), [])
  assert.match(
    findingOf(smtpNameInvalid, greeted('[192.0.2.1]')).seen,
    /^[^,]*answer to EHLO[^,]*, which is an address/,
  )
})

test('a name with escapes is shown, not performed', () => {
  assert.match(findingOf(smtpNameInvalid, greeted('\u001b[2Jx')).seen, /\\x1b/)
})

test('a name that could not be looked up, and a server that did not greet, are not checked', () => {
  const name = 'mail.example.net'
  const facts = greeted(name, known(name, failed(name), noSuchName(name)))
  assert.deepEqual(told(smtpNameInvalid, facts), ['not-checked lookup-failed 192.0.2.1'])
  const busy = changeSession(factsOf(), 0, { greeting: said(421, 'busy') })
  assert.deepEqual(told(smtpNameInvalid, busy), ['not-checked told-to-wait 192.0.2.1'])
  const unseen = changeAddress(factsOf(), 0, { smtp: notExamined('not-public') })
  assert.deepEqual(told(smtpNameInvalid, unseen), ['not-checked not-public 192.0.2.1'])
})
