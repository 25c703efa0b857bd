import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAddress, changeSession } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { host } from '../../../../test/unit/facts/names.ts'
import { notSaid, said } from '../../../../test/unit/facts/sessions.ts'
import { notExamined } from '../../../../test/unit/facts/views.ts'
import { findingOf, told } from '../../../../test/unit/outcomes.ts'
import { smtpEhloRefused, smtpExtensionsDiffer, smtpExtensionsMissing, smtpSizeSmall } from './hello.ts'

const refused = { ehlo: said(502, '5.5.1 unknown command'), ehloInTls: notSaid, startTls: notSaid }
const offering = (...keywords: string[]) => ({ ehloInTls: said(250, 'mx1.example.com', ...keywords) })
const usual = ['PIPELINING', '8BITMIME', 'SMTPUTF8']

test('a domain with good exchangers is fine', () => {
  for (const rule of [smtpEhloRefused, smtpSizeSmall, smtpExtensionsMissing, smtpExtensionsDiffer])
    assert.deepEqual(told(rule, factsOf()), [])
})

test('EHLO refused is a notice where HELO works and an error where it does not', () => {
  const withHelo = changeSession(factsOf(), 0, { ...refused, helo: said(250, 'mx1.example.com') })
  assert.deepEqual(told(smtpEhloRefused, withHelo), ['notice 192.0.2.1'])
  const without = findingOf(smtpEhloRefused, changeSession(factsOf(), 0, { ...refused, helo: said(550, 'no') }))
  assert.equal(without.severity, 'error')
  assert.match(without.seen, /EHLO probe\.example\.net/)
})

test('EHLO answered with 4yz, or HELO not at all, decides nothing', () => {
  const busy = changeSession(factsOf(), 0, { ehlo: said(451, 'later'), ehloInTls: notSaid })
  assert.deepEqual(told(smtpEhloRefused, busy), ['not-checked told-to-wait 192.0.2.1'])
  const cut = changeSession(factsOf(), 0, { ...refused, helo: notSaid })
  assert.deepEqual(told(smtpEhloRefused, cut), ['not-checked not-wanted 192.0.2.1'])
})

test('SIZE under 10 MiB is told; 0 is no limit, and no number says nothing', () => {
  const size = (value: string) => told(smtpSizeSmall, changeSession(factsOf(), 0, offering(`SIZE${value}`, ...usual)))
  assert.deepEqual(size(' 5000000'), ['notice 192.0.2.1'])
  assert.deepEqual(size(' 10485760'), [])
  assert.deepEqual(size(' 0'), [])
  assert.deepEqual(size(''), [])
  assert.deepEqual(size(' many'), [])
})

test('missing 8BITMIME or PIPELINING is told by the EHLO under TLS', () => {
  const facts = changeSession(factsOf(), 0, offering('SIZE 52428800', '8BITMIME'))
  assert.match(findingOf(smtpExtensionsMissing, facts).seen, /does not offer PIPELINING\./)
  const onlyBefore = changeSession(factsOf(), 0, { ehlo: said(250, 'mx1.example.com', 'STARTTLS') })
  assert.deepEqual(told(smtpExtensionsMissing, onlyBefore), [])
})

test('SMTPUTF8 is wanted of a domain in another script alone', () => {
  const facts = changeSession(factsOf(), 0, offering('PIPELINING', '8BITMIME'))
  assert.deepEqual(told(smtpExtensionsMissing, facts), [])
  const finding = findingOf(smtpExtensionsMissing, { ...facts, domain: host('xn--bcher-kva.example') })
  assert.match(finding.seen, /SMTPUTF8/)
})

test('exchangers that differ are told with what each has, and addresses of one host are not compared here', () => {
  const facts = [2, 3].reduce(
    (changed, at) => changeSession(changed, at, offering('SIZE 20971520', ...usual)),
    factsOf(),
  )
  const finding = findingOf(smtpExtensionsDiffer, facts)
  assert.match(
    finding.seen,
    /mx1\.example\.com \(192\.0\.2\.1\) has SIZE 52428800; mx2\.example\.com \(198\.51\.100\.1\) has SIZE 20971520/,
  )
  assert.deepEqual(told(smtpExtensionsDiffer, changeSession(factsOf(), 1, offering('8BITMIME'))), [])
})

test('what was not examined is told so', () => {
  const facts = [2, 3].reduce(
    (changed, at) => changeAddress(changed, at, { smtp: notExamined('not-public') }),
    factsOf(),
  )
  assert.deepEqual(told(smtpExtensionsDiffer, facts), ['not-checked depends-on-failed domain'])
  for (const rule of [smtpEhloRefused, smtpSizeSmall, smtpExtensionsMissing])
    assert.deepEqual(told(rule, facts), ['not-checked not-public 198.51.100.1', 'not-checked not-public 2001:db8:2::1'])
})
