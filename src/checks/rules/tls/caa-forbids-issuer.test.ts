import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeCertificate } from '../../../../test/unit/certificate-maker.ts'
import { leafFor } from '../../../../test/unit/facts/certificates.ts'
import { changeExchanger, changeSession } from '../../../../test/unit/facts/change.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { collectedMs, wire } from '../../../../test/unit/facts/names.ts'
import { caaData } from '../../../../test/unit/facts/records.ts'
import { notSaid, secured } from '../../../../test/unit/facts/sessions.ts'
import { answer, failed, noData, notExamined } from '../../../../test/unit/facts/views.ts'
import { findingOf, told } from '../../../../test/unit/outcomes.ts'
import { createRoots } from '../../certificate.ts'
import type { NamedView } from '../../facts.ts'
import { caaForbidsIssuer } from './caa-forbids-issuer.ts'
import { caaNamesOf } from './issuer-names.ts'

// The maker writes a name as CN alone; an organisation is what CAA is judged by, so its name carries one.
const authority = makeCertificate({ name: 'R11', organisation: "Let's Encrypt", isCa: true, nowMs: collectedMs })
const context = { roots: createRoots([authority.pem]) }

const facts = (caa: readonly ReturnType<typeof caaData>[], more: Partial<Parameters<typeof leafFor>[1]> = {}) => {
  const leaf = leafFor('mx1.example.com', { issuer: authority, ...more })
  const views: NamedView<'CAA'>[] = [
    { name: wire('mx1.example.com'), type: 'CAA', view: noData('mx1.example.com') },
    {
      name: wire('example.com'),
      type: 'CAA',
      view: caa.length > 0 ? answer('example.com', caa) : noData('example.com'),
    },
  ]
  return changeExchanger(changeSession(factsOf(), 'all', { handshake: secured([leaf, authority]) }), 0, { caa: views })
}

test('no CAA, and CAA that allows the issuer, are fine', () => {
  assert.deepEqual(told(caaForbidsIssuer, factsOf()), [])
  assert.deepEqual(told(caaForbidsIssuer, facts([]), context), [])
  assert.deepEqual(
    told(caaForbidsIssuer, facts([caaData('issue', 'letsencrypt.org; accounturi=https://x/1')]), context),
    [],
  )
  assert.deepEqual(told(caaForbidsIssuer, facts([caaData('iodef', 'mailto:a@example.com')]), context), [])
})

test('CAA for another authority, for nobody, or with a critical unknown property forbids it', () => {
  const finding = findingOf(caaForbidsIssuer, facts([caaData('issue', 'digicert.com')]), context)
  assert.equal(finding.severity, 'notice')
  assert.deepEqual(finding.remedy.records, ['example.com. IN CAA 0 issue "letsencrypt.org"'])
  assert.match(findingOf(caaForbidsIssuer, facts([caaData('issue', ';')]), context).seen, /allows nobody/)
  assert.deepEqual(told(caaForbidsIssuer, facts([caaData('future', 'x', 128)]), context), ['notice mx1.example.com'])
})

test('issuewild goes before issue for a wildcard, and for that alone', () => {
  const records = [caaData('issue', 'letsencrypt.org'), caaData('issuewild', ';')]
  assert.deepEqual(told(caaForbidsIssuer, facts(records), context), [])
  assert.deepEqual(told(caaForbidsIssuer, facts(records, { dnsNames: ['*.example.com'] }), context), [
    'notice mx1.example.com',
  ])
})

test('the first set on the way up counts', () => {
  const below = {
    name: wire('mx1.example.com'),
    type: 'CAA',
    view: answer('mx1.example.com', [caaData('issue', 'letsencrypt.org')]),
  } as const
  const above = {
    name: wire('example.com'),
    type: 'CAA',
    view: answer('example.com', [caaData('issue', ';')]),
  } as const
  assert.deepEqual(told(caaForbidsIssuer, changeExchanger(facts([]), 0, { caa: [below, above] }), context), [])
})

test('what is not known is not checked: a failed look-up, an unknown authority, no certificate', () => {
  const broken = { name: wire('example.com'), type: 'CAA', view: failed('example.com') } as const
  assert.deepEqual(told(caaForbidsIssuer, changeExchanger(facts([]), 0, { caa: [broken] }), context), [
    'not-checked lookup-failed mx1.example.com',
  ])
  assert.deepEqual(told(caaForbidsIssuer, changeExchanger(factsOf(), 0, { caa: notExamined('not-wanted') })), [
    'not-checked not-wanted mx1.example.com',
  ])
  const forbidding = [
    { name: wire('example.com'), type: 'CAA' as const, view: answer('example.com', [caaData('issue', ';')]) },
  ]
  assert.deepEqual(told(caaForbidsIssuer, changeExchanger(factsOf(), 0, { caa: forbidding })), [
    'not-checked not-applicable mx1.example.com',
  ])
  const unseen = changeSession(facts([caaData('issue', ';')]), 'all', { handshake: notSaid })
  assert.deepEqual(told(caaForbidsIssuer, unseen, context), ['not-checked depends-on-failed mx1.example.com'])
})

test('authorities are known by their organisation, whole', () => {
  assert.deepEqual(caaNamesOf("C=US\nO=Let's Encrypt\nCN=R11")?.names, ['letsencrypt.org'])
  assert.equal(caaNamesOf("C=US\nO=Not Let's Encrypt\nCN=R11"), undefined)
  assert.equal(caaNamesOf('CN=Test'), undefined)
})
