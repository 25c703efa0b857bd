/**
 * A whole move of a domain whose MTA-STS policy is enforced, played with senders that keep policies as RFC 8461 §3.3 has it: each looks for a new id
 * once a day, at its own hour, through a cache that may hold the old one, and delivers to nobody whom the policy that it has does not list (§4.1).
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostName } from '../../dns/name.ts'
import type { MxSet } from '../sets/mx-set.ts'
import { judgeBeginning } from './judge-beginning.ts'
import { stageSeen } from './migration.ts'
import { nextStep } from './next-step.ts'
import { setAfter } from './stage-sets.ts'

const day = 86_400
const stepSeconds = 300
const recordTtlSeconds = 600
const set = (ttlSeconds: number, host: string): MxSet => ({
  ttlSeconds,
  exchangers: [{ preference: 10, host: host as HostName }],
})
const [old, next] = [set(3_600, 'mx.old.example'), set(3_600, 'mx.new.example')]
const oldHosts = ['mx.old.example']
const bothHosts = ['mx.old.example', 'mx.new.example']

/** What came to be live, and when (seconds). */
interface Change<T> {
  readonly from: number
  readonly what: T
}

/** @param isHasty  does not wait behind the new policy, as people do */
function move(isHasty: boolean) {
  const policy = { mode: 'enforce', maxAgeSeconds: 7 * day, recordTtlSeconds, oldId: 'a', newId: 'b' } as const
  const began = judgeBeginning(
    {
      ...{ domain: 'example.com' as HostName, to: 'new', old, next, lowTtlSeconds: 300 },
      ...{ cachedUntilMs: undefined, policy },
    },
    0,
  )
  assert.ok(began.kind === 'begun')
  let { migration } = began
  const sets: Change<MxSet>[] = [{ from: -day, what: old }]
  const policies: Change<{ id: string; hosts: readonly string[] }>[] = [
    { from: -day, what: { id: 'a', hosts: oldHosts } },
  ]
  let second = 0
  for (;;) {
    const step = nextStep(migration, second * 1000)
    if (step.kind === 'done') return { sets, policies, end: second + day }
    assert.ok(step.kind === 'apply' || step.kind === 'wait')
    const stage = step.kind === 'apply' || (isHasty && step.stage === 'add') ? step.stage : undefined
    if (stage === undefined) {
      second += stepSeconds
      continue
    }
    // RFC 8461 §8.1: the file first, then its id.
    if (stage === 'policy') policies.push({ from: second, what: { id: 'b', hosts: bothHosts } })
    sets.push({ from: second, what: setAfter(migration, stage) })
    migration = stageSeen(migration, stage, second * 1000)
  }
}

const at = <T>(changes: readonly Change<T>[], second: number): T =>
  (changes.findLast(({ from }) => from <= second) ?? assert.fail()).what

/** Sets that a cache may rightly hold then. */
const cached = (sets: readonly Change<MxSet>[], second: number) =>
  sets.filter(({ from, what }, index) => {
    const until = (sets[index + 1]?.from ?? Number.POSITIVE_INFINITY) + what.ttlSeconds
    return from <= second && second < until
  })

/** @returns deliveries that a sender must not make, of all senders */
function refused(isHasty: boolean): { readonly tried: number; readonly refused: number } {
  const { sets, policies, end } = move(isHasty)
  const counts = { tried: 0, refused: 0 }
  for (let hour = 0; hour < day; hour += 3 * stepSeconds) {
    let known = at(policies, -1)
    for (let second = 0; second < end; second += stepSeconds) {
      const seen = at(policies, Math.max(0, second - recordTtlSeconds))
      if (second % day === hour && seen.id !== known.id) known = at(policies, second)
      for (const { what } of cached(sets, second)) {
        counts.tried++
        if (!what.exchangers.every(({ host }) => known.hosts.includes(host))) counts.refused++
      }
    }
  }
  return counts
}

test('a sender that keeps the policy of before delivers through the whole move', () => {
  const { tried, refused: lost } = refused(false)
  assert.ok(tried > 10_000)
  assert.equal(lost, 0)
})

test('without the wait behind the new policy, senders meet exchangers that theirs does not list', () => {
  assert.ok(refused(true).refused > 100)
})
