import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../test/lab/fake-clock.ts'
import { createProgress, spentText } from './progress.ts'

test('where no terminal is, a line comes after ten seconds, and then every thirty', () => {
  const clock = createFakeClock()
  const lines: string[] = []
  const status = { isShown: false, show: () => assert.fail('nobody looks'), clear: () => {} }
  const terminal = { out: () => assert.fail('no data'), err: (text: string) => void lines.push(text) }
  const progress = createProgress(() => `at ${clock.monotonicMs()}`, status, terminal, clock, true)
  for (let second = 0; second < 75; second++) clock.advance(1_000)
  assert.deepEqual(lines, ['at 10000\n', 'at 40000\n', 'at 70000\n'])
  progress.end()
  clock.advance(60_000)
  assert.equal(lines.length, 3)
})

test('where a person looks, the line is drawn again and again, and taken away at the end', () => {
  const clock = createFakeClock()
  const shown: string[] = []
  let cleared = 0
  const status = { isShown: true, show: (text: string) => void shown.push(text), clear: () => void cleared++ }
  const progress = createProgress(() => 'now', status, { out() {}, err() {} }, clock, true)
  clock.advance(150)
  clock.advance(150)
  assert.deepEqual(shown, ['now', 'now'])
  progress.end()
  assert.equal(cleared, 1)
})

test('one domain: what it has cost, and what it waits for once that is worth a word', () => {
  const waitsFor = () => ({ words: 'the name server 192.0.2.1', sinceMs: 1_000 })
  assert.equal(
    spentText({ queries: 1, connections: 2, waitsFor }, 2_400, 2_900),
    '1 question to DNS, 2 connections, 2.4 s',
  )
  assert.equal(
    spentText({ queries: 30, connections: 1, waitsFor }, 9_000, 8_100),
    '30 questions to DNS, 1 connection, 9.0 s; waiting for the name server 192.0.2.1, 7 s',
  )
  const nothing = { queries: 0, connections: 0, waitsFor: () => undefined }
  assert.equal(spentText(nothing, 0, 60_000), '0 questions to DNS, 0 connections, 0.0 s')
})
