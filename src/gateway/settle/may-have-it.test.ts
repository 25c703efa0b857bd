import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reply } from '../../mail/reply.ts'
import { lateWatchMs, silenceReply, watchedUntilMs } from './may-have-it.ts'

test('somebody may listen behind the last dot, and nobody where a backend has put it off since', () => {
  const silence = silenceReply({ fault: { kind: 'timeout', step: 'dot', reply: undefined, detail: 'in this test' } })
  const until = (lastReply: typeof silence | undefined, lastAttemptMs: number | undefined) =>
    watchedUntilMs({ lastReply, lastAttemptMs }, 1_000)
  assert.equal(until(silence, undefined), 1_000 + lateWatchMs)
  assert.equal(until(undefined, undefined), 1_000 + lateWatchMs)
  assert.equal(until(silence, 5_000), 5_000 + lateWatchMs)
  assert.equal(until(reply(450, '4.2.0', 'later'), 5_000), 0)
})
