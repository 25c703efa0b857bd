import assert from 'node:assert/strict'
import { test } from 'node:test'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { host } from '../../../../test/unit/facts/names.ts'
import { aData, mxData } from '../../../../test/unit/facts/records.ts'
import { answer, failed, noData, noSuchName, notExamined } from '../../../../test/unit/facts/views.ts'
import { findingOf, told } from '../../../../test/unit/outcomes.ts'
import { demanding, opportunistic } from '../../../../test/unit/policies.ts'
import { txtAt } from '../../../../test/unit/senders.ts'
import type { Facts, TlsRptFacts, View } from '../../facts.ts'
import { tlsRptDestinationDead, tlsRptMissing, tlsRptRecordInvalid } from './record.ts'

const all = [tlsRptMissing, tlsRptRecordInvalid, tlsRptDestinationDead]
const withTxt = (txt: View<'TXT'>, destinations: TlsRptFacts['destinations'] = []): Facts => ({
  ...factsOf(),
  tlsRpt: { txt, destinations },
})
const at = (...texts: string[]) => withTxt(txtAt('_smtp._tls.example.com', ...texts))
const ids = (facts: Facts) => all.filter((rule) => told(rule, facts).length > 0).map(({ id }) => id)

test('one record is fine, with foreign TXT, several destinations and unknown fields', () => {
  assert.deepEqual(ids(factsOf()), [])
  assert.deepEqual(ids(at('v=TLSRPTv1; rua=mailto:a@example.com , https://r.example.net/in;x=y', 'v=spf1 -all')), [])
})

test('no record is a notice where a policy is in force, and no news where none is', () => {
  assert.deepEqual(ids(at()), ['tlsrpt-missing'])
  assert.match(
    findingOf(tlsRptMissing, demanding(at(), { sts: 'testing', tlsa: 'absent' })).seen,
    /^MTA-STS is in force/,
  )
  assert.deepEqual(ids(opportunistic(at())), [])
})

test('several records, no rua, another case and bare characters in a URI are invalid', () => {
  const bad = [
    ['v=TLSRPTv1; rua=mailto:a@b.example', 'v=TLSRPTv1; rua=mailto:c@b.example'],
    ['v=TLSRPTv1;'],
    ['v=tlsrptv1; rua=mailto:a@b.example'],
    ['v=TLSRPTv1; rua=mailto:a!b@b.example'],
    ['v=TLSRPTv1; rua=a@b.example'],
  ]
  for (const texts of bad) assert.deepEqual(ids(at(...texts)), ['tlsrpt-record-invalid'], texts.join())
})

test('a destination of another scheme is dead, and no fault of the form', () => {
  assert.deepEqual(ids(at('v=TLSRPTv1; rua=ftp://r.example.net/in')), ['tlsrpt-destination-dead'])
})

test('a mailbox in a domain that takes no mail is dead; one by its address alone is not', () => {
  const name = 'r.example.net'
  const to = (mx: View<'MX'>, a: View<'A'>, aaaa: View<'AAAA'>) =>
    told(
      tlsRptDestinationDead,
      withTxt(txtAt('_smtp._tls.example.com', `v=TLSRPTv1; rua=mailto:a@${name}`), [
        { domain: host(name), mx, a, aaaa },
      ]),
    )
  const warning = ['warning _smtp._tls.example.com TXT']
  assert.deepEqual(to(noSuchName(name), noSuchName(name), noSuchName(name)), warning)
  assert.deepEqual(to(answer(name, [mxData(0, '.')]), noData(name), noData(name)), warning)
  assert.deepEqual(to(noData(name), noData(name), noData(name)), warning)
  assert.deepEqual(to(noData(name), answer(name, [aData('192.0.2.9')]), noData(name)), [])
  assert.deepEqual(to(answer(name, [mxData(5, 'mx.example.net')]), noData(name), noData(name)), [])
  assert.deepEqual(to(failed(name), noData(name), noData(name)), [
    'not-checked lookup-failed _smtp._tls.example.com TXT',
  ])
})

test('a look-up that failed, or was not made, is not checked', () => {
  for (const rule of all) {
    assert.deepEqual(told(rule, withTxt(failed('_smtp._tls.example.com'))), [
      'not-checked lookup-failed _smtp._tls.example.com TXT',
    ])
    assert.deepEqual(told(rule, withTxt(notExamined('not-wanted'))), [
      'not-checked not-wanted _smtp._tls.example.com TXT',
    ])
  }
})
