import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { failed, notExamined } from '../../../../test/unit/facts/views.ts'
import { findingOf, told } from '../../../../test/unit/outcomes.ts'
import type { Facts } from '../../facts.ts'
import {
  stsIdStale,
  stsMaxAge,
  stsModeWeak,
  stsPatternInvalid,
  stsPatternUnused,
  stsPolicyMalformed,
} from './policy.ts'

const all = [stsPolicyMalformed, stsPatternInvalid, stsPatternUnused, stsMaxAge, stsModeWeak]
const withBody = (...lines: readonly string[]): Facts => {
  const facts = factsOf()
  const { https } = facts.mtaSts
  assert.ok(https.kind === 'response')
  return { ...facts, mtaSts: { ...facts.mtaSts, https: { ...https, body: Buffer.from(lines.join('\n'), 'latin1') } } }
}
const head = ['version: STSv1', 'mode: enforce', 'max_age: 604800']
const both = ['mx: mx1.example.com', 'mx: mx2.example.com']
const ids = (facts: Facts) =>
  all.filter((rule) => told(rule, facts).some((text) => !text.startsWith('not-checked'))).map(({ id }) => id)

test('legal variants are fine: LF, CRLF, duplicates, unknown fields, wildcards', () => {
  assert.deepEqual(ids(factsOf()), [])
  assert.deepEqual(ids(withBody(...head, ...both, '')), [])
  assert.deepEqual(ids(withBody(...head, 'mode: none', ...both, 'future: x')), [])
  assert.deepEqual(ids(withBody(...head, 'mx: *.example.com')), [])
})

test('a bad version, mode or form, and a policy without exchangers, are malformed', () => {
  assert.deepEqual(ids(withBody('version: STSv2', ...head.slice(1), ...both)), ['sts-policy-malformed'])
  assert.deepEqual(ids(withBody('version: STSv1', 'mode: Enforce', 'max_age: 604800', ...both)), [
    'sts-policy-malformed',
  ])
  assert.deepEqual(ids(withBody('<!DOCTYPE html>', '<html>')), ['sts-policy-malformed'])
  assert.deepEqual(ids(withBody('\xef\xbb\xbfversion: STSv1', ...head.slice(1), ...both)), ['sts-policy-malformed'])
  assert.deepEqual(ids(withBody(...head)), ['sts-policy-malformed'])
  assert.match(findingOf(stsPolicyMalformed, withBody('\u001b[2Jx')).seen, /\\x1b/)
})

test('lines that match nothing are told', () => {
  for (const line of ['mx: mx*.example.com', 'mx: 192.0.2.1', 'mx: mx1.example.com.', 'mx: b\xfccher.example'])
    assert.deepEqual(
      ids(withBody(...head, ...both, line)),
      line.includes('192') ? ['sts-pattern-unused'] : ['sts-pattern-invalid'],
      line,
    )
})

test('a name that is no exchanger is a notice, a wildcard never', () => {
  assert.match(findingOf(stsPatternUnused, withBody(...head, ...both, 'mx: old.example.com')).seen, /old\.example\.com/)
  assert.deepEqual(ids(withBody(...head, ...both, 'mx: *.example.net')), [])
  const facts = { ...factsOf(), mx: failed('example.com'), exchangers: [] }
  assert.deepEqual(told(stsPatternUnused, facts), ['not-checked lookup-failed mta-sts.example.com policy'])
})

test('max_age under a day is a notice, over a year or no number a warning, and none of them hides the rest', () => {
  const aged = (age: string, mode = 'enforce') =>
    withBody('version: STSv1', `mode: ${mode}`, `max_age: ${age}`, ...both)
  assert.deepEqual(told(stsMaxAge, aged('3600')), ['notice mta-sts.example.com policy'])
  assert.deepEqual(told(stsMaxAge, aged('0', 'none')), [])
  assert.deepEqual(told(stsMaxAge, aged('86400')), [])
  for (const age of ['31557601', '99999999999', 'week', '']) {
    assert.deepEqual(told(stsMaxAge, aged(age)), ['warning mta-sts.example.com policy'], age)
    assert.deepEqual(ids(aged(age)), ['sts-max-age'], age)
  }
})

test('testing and none enforce nothing', () => {
  assert.deepEqual(ids(withBody('version: STSv1', 'mode: testing', 'max_age: 604800', ...both)), ['sts-mode-weak'])
  assert.deepEqual(ids(withBody('version: STSv1', 'mode: none', 'max_age: 604800')), ['sts-mode-weak'])
})

test('a policy that is another one under the same id is told, by what was seen before', () => {
  const body = Buffer.from([...head, ...both].join('\n'))
  const facts = withBody(...head, ...both)
  const sha = createHash('sha256').update(body).digest('hex')
  const before = (id: string, policySha256: string) => told(stsIdStale, facts, { previousPolicy: { id, policySha256 } })
  assert.deepEqual(before('20260101', sha), [])
  assert.deepEqual(before('20251231', 'f'.repeat(64)), [])
  assert.deepEqual(before('20260101', 'f'.repeat(64)), ['warning mta-sts.example.com policy'])
  assert.deepEqual(told(stsIdStale, facts), [])
})

test('a policy that was not fetched is not checked', () => {
  const facts = factsOf()
  const unseen = { ...facts, mtaSts: { ...facts.mtaSts, https: notExamined('budget-spent') } }
  for (const rule of all) assert.deepEqual(told(rule, unseen), ['not-checked budget-spent mta-sts.example.com A'])
  for (const rule of [stsPatternInvalid, stsPatternUnused, stsModeWeak])
    assert.deepEqual(told(rule, withBody('nonsense')), ['not-checked depends-on-failed mta-sts.example.com policy'])
})
