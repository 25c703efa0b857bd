import assert from 'node:assert/strict'
import { test } from 'node:test'
import { intermediate, leafFor } from '../../../../test/unit/facts/certificates.ts'
import { changeAddress, changeSession } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { said, secured, session } from '../../../../test/unit/facts/sessions.ts'
import { notExamined } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import { addressesBehaveDifferently } from './addresses-behave-differently.ts'

test('software, extensions, certificate and verdicts that differ at one exchanger', () => {
  assert.match(
    only(
      addressesBehaveDifferently,
      changeSession(factsOf(), 1, { greeting: said(220, 'mx1.example.com ESMTP Postfix') }),
    ).seen,
    /software: none at 192\.0\.2\.1 and Postfix at 2001:db8:1::1/,
  )
  assert.match(
    only(
      addressesBehaveDifferently,
      changeSession(factsOf(), 1, { ehloInTls: said(250, 'mx1.example.com', 'SIZE 10') }),
    ).seen,
    /extensions/,
  )
  const handshake = secured([leafFor('other.example.com'), intermediate])
  assert.match(
    only(addressesBehaveDifferently, changeSession(factsOf(), 1, { handshake })).seen,
    /names in the certificate: mx1\.example\.com at/,
  )
  const recipients = session('mx1.example.com', '192.0.2.1').recipients.map((one) =>
    one.purpose === 'unknown' ? { ...one, said: said(250, '2.1.5 ok') } : one,
  )
  const finding = only(addressesBehaveDifferently, changeSession(factsOf(), 1, { recipients }))
  assert.equal(finding.severity, 'notice')
  assert.match(finding.seen, /unknown recipient: refused at 192\.0\.2\.1 and accepted at/)
})

test('greylisting is no difference, and nor is what differs between two exchangers', () => {
  const recipients = session('mx1.example.com', '192.0.2.1').recipients.map((one) => ({
    ...one,
    said: said(451, '4.7.1 later'),
  }))
  assert.deepEqual(outcomesOf(addressesBehaveDifferently, changeSession(factsOf(), 1, { recipients })), [])
  const other = [2, 3].reduce(
    (facts, index) => changeSession(facts, index, { greeting: said(220, 'mx2 ESMTP Exim') }),
    factsOf(),
  )
  assert.deepEqual(outcomesOf(addressesBehaveDifferently, other), [])
})

test('what a server says is not repeated', () => {
  const finding = only(
    addressesBehaveDifferently,
    changeSession(factsOf(), 1, { ehloInTls: said(250, 'mx1', '\x1b[2J 1', 'SIZE') }),
  )
  assert.doesNotMatch(JSON.stringify(finding), /u001b/)
})

test('with one session there is nothing to compare', () => {
  assert.deepEqual(outcomesOf(addressesBehaveDifferently, factsOf()), [])
  assert.deepEqual(
    outcomesOf(addressesBehaveDifferently, changeAddress(factsOf(), 1, { smtp: notExamined('budget-spent') })),
    ['not checked addresses-behave-differently: budget-spent'],
  )
})
