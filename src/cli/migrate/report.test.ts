import assert from 'node:assert/strict'
import { test } from 'node:test'
import { labHost } from '../../../test/lab/names.ts'
import type { Migration } from '../../publish/migrate/migration.ts'
import { migrationText, stageText } from './report.ts'

const mx = (preference: number, host: string) => ({ preference, host: labHost(host) })

const done: Migration = {
  ...{ domain: labHost('acme.test'), to: 'declared', startedAtMs: 0, lowTtlSeconds: 300 },
  old: { ttlSeconds: 300, exchangers: [mx(10, 'mx.old.test')] },
  next: { ttlSeconds: 300, exchangers: [mx(10, 'in1.acme.test')] },
  ...{ cachedUntilMs: undefined, policy: undefined, isBack: false },
  seen: [
    { stage: 'add', atMs: 1_000 },
    { stage: 'switch', atMs: 2_000 },
  ],
}

test('what removes the old exchangers names those that are left', () => {
  assert.equal(stageText(done, 'switch'), 'remove the old exchangers, so that 10 in1.acme.test is left')
  const two: Migration = {
    ...done,
    next: { ...done.next, exchangers: [...done.next.exchangers, mx(20, 'in2.acme.test')] },
  }
  assert.match(stageText(two, 'switch'), /, so that 10 in1\.acme\.test, 20 in2\.acme\.test are left$/)
})

test('what is over is to be said in waypost.yaml, where that does not say it yet', () => {
  const nowMs = 10_000_000
  assert.match(migrationText(done, done.old.exchangers, nowMs, false), /\nSay so in waypost\.yaml, too/)
  const said = migrationText(done, done.next.exchangers, nowMs, false)
  assert.match(said, /\nDone: /)
  assert.doesNotMatch(said, /waypost\.yaml/)
})
