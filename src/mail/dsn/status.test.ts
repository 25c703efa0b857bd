import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reply } from '../reply.ts'
import type { DsnAction } from './status.ts'
import { parseStatus, replyStatus, statusFor } from './status.ts'

const table: readonly [action: DsnAction, known: string | undefined, reported: string][] = [
  ['failed', '5.1.1', '5.1.1'],
  ['failed', '5.0.0', '5.0.0'],
  // Time ran out: the last thing that is known, and 4.4.7 only where nothing is (RFC 3463 §3.5).
  ['failed', '4.2.2', '4.2.2'],
  ['failed', '4.4.1', '4.4.1'],
  ['failed', '4.0.0', '4.4.7'],
  ['failed', undefined, '4.4.7'],
  ['failed', '2.0.0', '5.0.0'],
  ['delayed', '4.4.1', '4.4.1'],
  ['delayed', '5.7.1', '4.7.1'],
  ['delayed', undefined, '4.0.0'],
  ['delayed', '2.0.0', '4.0.0'],
  ['relayed', '2.6.0', '2.6.0'],
  ['relayed', undefined, '2.0.0'],
  ['delivered', '4.0.0', '2.0.0'],
]

for (const [action, known, reported] of table) {
  test(`${action} with ${known} is reported as ${reported}`, () => {
    assert.equal(statusFor(action, known === undefined ? undefined : parseStatus(known)), reported)
  })
}

test('a status has a class that there is, and no leading zeros', () => {
  assert.equal(parseStatus('5.001.010'), '5.1.10')
  for (const text of ['3.0.0', '5.1', '5.1.1000', '5.1.1 ', '5.1.1\n', 'x']) assert.equal(parseStatus(text), undefined)
})

test('a reply says its status, or its class', () => {
  assert.equal(replyStatus(reply(550, '5.1.1', 'x')), '5.1.1')
  assert.equal(replyStatus(reply(550, undefined, 'x')), '5.0.0')
  assert.equal(replyStatus(reply(451, undefined, 'x')), '4.0.0')
  assert.equal(replyStatus(reply(250, undefined, 'x')), '2.0.0')
})
