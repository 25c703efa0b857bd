import assert from 'node:assert/strict'
import { test } from 'node:test'
import { intermediate, leafFor } from '../../../../test/unit/facts/certificates.ts'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { collectedMs } from '../../../../test/unit/facts/names.ts'
import { secured } from '../../../../test/unit/facts/sessions.ts'
import { noSuchName, notExamined } from '../../../../test/unit/facts/views.ts'
import { findingOf, told } from '../../../../test/unit/outcomes.ts'
import type { Facts, HttpsFacts } from '../../facts.ts'
import { stsPolicyCertificate, stsPolicyMediaType, stsPolicyRedirects, stsPolicyUnreachable } from './policy-host.ts'

type Response = Extract<HttpsFacts, { kind: 'response' }>
const all = [stsPolicyUnreachable, stsPolicyRedirects, stsPolicyCertificate, stsPolicyMediaType]

const withHttps = (https: HttpsFacts, facts = factsOf()): Facts => ({ ...facts, mtaSts: { ...facts.mtaSts, https } })
const responding = (change: Partial<Response>) => {
  const { https } = factsOf().mtaSts
  assert.ok(https.kind === 'response')
  return withHttps({ ...https, ...change })
}
const ids = (facts: Facts) => all.filter((rule) => told(rule, facts).length > 0).map(({ id }) => id)
const dayMs = 86_400_000

test('a policy that is served as it should be is fine', () => {
  assert.deepEqual(ids(factsOf()), [])
  assert.deepEqual(ids(responding({ contentType: 'Text/Plain' })), [])
})

test('a host that does not exist, or does not answer, is a warning', () => {
  const { https, a } = factsOf().mtaSts
  assert.ok(https.kind === 'response' && a.kind === 'answer')
  const failed = (step: 'address' | 'connect' | 'handshake') =>
    withHttps({ kind: 'failed', address: undefined, step, handshake: https.handshake, why: 'ECONNREFUSED', tookMs: 5 })
  const facts = failed('address')
  const name = 'mta-sts.example.com'
  const gone = { ...facts, mtaSts: { ...facts.mtaSts, a: noSuchName(name), aaaa: noSuchName(name) } }
  assert.match(findingOf(stsPolicyUnreachable, gone).seen, /the name does not exist/)
  assert.match(findingOf(stsPolicyUnreachable, failed('connect')).seen, /ECONNREFUSED/)
})

test('404, a policy over 64 KiB and one that breaks off are not to be had', () => {
  assert.deepEqual(ids(responding({ status: 404 })), ['sts-policy-unreachable'])
  for (const bodyEnd of ['too-long', 'too-slow', 'cut'] as const)
    assert.deepEqual(ids(responding({ bodyEnd })), ['sts-policy-unreachable'])
})

test('a redirect is a finding of its own, with where it leads to', () => {
  const facts = responding({ status: 301, location: 'https://www.example.com/\u001b[2J' })
  assert.deepEqual(ids(facts), ['sts-policy-redirects'])
  assert.match(findingOf(stsPolicyRedirects, facts).seen, /www\.example\.com\/\\x1b/)
})

test('the certificate is for the policy host, whatever its alias, and public', () => {
  const serving = (...chain: Parameters<typeof secured>[0]) => responding({ handshake: secured(chain) })
  assert.match(
    findingOf(stsPolicyCertificate, serving(leafFor('hosting.example.net'), intermediate)).seen,
    /is for hosting\.example\.net/,
  )
  assert.match(
    findingOf(stsPolicyCertificate, serving(leafFor('mta-sts.example.com'))).seen,
    /without its intermediate/,
  )
  const old = leafFor('mta-sts.example.com', { notBeforeMs: collectedMs - 9 * dayMs, notAfterMs: collectedMs - dayMs })
  assert.match(findingOf(stsPolicyCertificate, serving(old, intermediate)).seen, /outside of its dates/)
  assert.deepEqual(ids(serving(leafFor('any', { dnsNames: ['*.example.com'] }), intermediate)), [])
})

test('HTML is a warning, another type or none a notice', () => {
  assert.deepEqual(told(stsPolicyMediaType, responding({ contentType: 'text/html; charset=utf-8' })), [
    'warning mta-sts.example.com A',
  ])
  assert.deepEqual(told(stsPolicyMediaType, responding({ contentType: 'application/octet-stream' })), [
    'notice mta-sts.example.com A',
  ])
  assert.deepEqual(told(stsPolicyMediaType, responding({ contentType: undefined })), ['notice mta-sts.example.com A'])
})

test('without a record nobody asks for a policy, and a fetch that was not made is not checked', () => {
  const facts = responding({ status: 500 })
  assert.deepEqual(ids({ ...facts, mtaSts: { ...facts.mtaSts, txt: noSuchName('_mta-sts.example.com') } }), [])
  for (const rule of all)
    assert.deepEqual(told(rule, withHttps(notExamined('budget-spent'))), [
      'not-checked budget-spent mta-sts.example.com A',
    ])
})
