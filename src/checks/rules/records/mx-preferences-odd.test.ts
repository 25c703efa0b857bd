import assert from 'node:assert/strict'
import { test } from 'node:test'
import { factsOf } from '../../../../test/unit/facts/facts.ts'
import { host, wire } from '../../../../test/unit/facts/names.ts'
import { failed } from '../../../../test/unit/facts/views.ts'
import { only, outcomesOf } from '../../../../test/unit/rule-outcomes.ts'
import type { Facts } from '../../facts.ts'
import { mxPreferencesOdd } from './mx-preferences-odd.ts'

function withSet(...set: [number, string][]): Facts {
  const facts = factsOf()
  const [like] = facts.exchangers
  if (!like) throw new Error('the fixture has exchangers')
  const exchangers = set.map(([preference, name]) => ({
    ...like,
    name: wire(name),
    host: host(name),
    preferences: [preference],
  }))
  return {
    ...facts,
    exchangers: exchangers.sort((one, other) => (one.preferences[0] ?? 0) - (other.preferences[0] ?? 0)),
  }
}

const google: [number, string][] = [
  [1, 'aspmx.l.google.com'],
  [5, 'alt1.aspmx.l.google.com'],
  [5, 'alt2.aspmx.l.google.com'],
  [10, 'alt3.aspmx.l.google.com'],
  [10, 'alt4.aspmx.l.google.com'],
]

test('the order that the provider wants is fine, whatever the numbers are', () => {
  assert.deepEqual(outcomesOf(mxPreferencesOdd, withSet(...google)), [])
  assert.deepEqual(
    outcomesOf(
      mxPreferencesOdd,
      withSet(...google.map(([preference, name]): [number, string] => [preference * 7, name])),
    ),
    [],
  )
})

test('one equal set, and an order turned round', () => {
  assert.match(
    only(mxPreferencesOdd, withSet(...google.map(([, name]): [number, string] => [10, name]))).seen,
    /same preference/,
  )
  const finding = only(
    mxPreferencesOdd,
    withSet(...google.map(([preference, name]): [number, string] => [100 - preference, name])),
  )
  assert.match(finding.seen, /another order/)
  assert.equal(finding.severity, 'warning')
  assert.equal(finding.remedy.records?.[0], 'example.com. IN MX 1 aspmx.l.google.com.')
})

test('a host that is called a backup is tried first, or all are', () => {
  assert.match(
    only(mxPreferencesOdd, withSet([10, 'backup.example.com'], [20, 'mx1.example.com'])).seen,
    /backup\.example\.com is tried first/,
  )
  assert.match(
    only(mxPreferencesOdd, withSet([10, 'mx-backup.example.com'], [10, 'backup2.example.com'])).seen,
    /all exchangers/,
  )
  assert.deepEqual(outcomesOf(mxPreferencesOdd, withSet([10, 'mx1.example.com'], [20, 'backup.example.com'])), [])
  assert.deepEqual(outcomesOf(mxPreferencesOdd, withSet([10, 'mx1.backupify.com'])), [])
})

test('a failed look-up leaves it open', () => {
  assert.deepEqual(outcomesOf(mxPreferencesOdd, factsOf({ mx: failed('example.com') })), [
    'not checked mx-preferences-odd: lookup-failed',
  ])
})
