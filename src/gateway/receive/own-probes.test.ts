import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemRandom } from '../../base/random.ts'
import { createOwnProbes } from './own-probes.ts'

function stage() {
  let nowMs = 0
  const clock = { now: () => nowMs, monotonicMs: () => nowMs, after: () => ({ cancel() {} }) }
  const probes = createOwnProbes({ clock, random: systemRandom })
  const pass = (ms: number) => {
    nowMs += ms
  }
  return { probes, pass }
}

test('a word is good once, and others never', () => {
  const { probes } = stage()
  const word = probes.issue()
  assert.notEqual(word, probes.issue())
  assert.deepEqual([probes.take('waypost-probe-'), probes.take(word), probes.take(word)], [false, true, false])
})

test('a word is good for two minutes, and a thousand are kept', () => {
  const { probes, pass } = stage()
  const old = probes.issue()
  pass(120_000)
  assert.equal(probes.take(old), false)
  const first = probes.issue()
  const others = Array.from({ length: 1000 }, () => probes.issue())
  assert.deepEqual([probes.take(first), others.every((word) => probes.take(word))], [false, true])
})
