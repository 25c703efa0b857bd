/**
 * kill -9 of the gateway at 25 seeded moments while backends come and go: what a sender heard 250 for is with a backend or held, to the octet, and
 * a second copy has an excuse. `WAYPOST_SEED=N` runs it again with the decisions of that seed; `test/long` has 200 kills.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../src/base/random.ts'
import { assertNothingLost, runChaos, seedFor, summaryOf } from '../lab/chaos.ts'
import { startLab } from '../lab/lab.ts'
import { createOracle, type Numbered } from '../lab/oracle.ts'
import { tearLog } from '../lab/tear-log.ts'
import type { BackendMessage } from '../lab/words.ts'

test('killed 25 times: nothing is lost, nothing is changed, and no copy is made without need', async (t) => {
  const lab = await startLab(t, 900_000)
  const report = await runChaos(lab, { seed: seedFor(t), kills: 25, leastPromised: 300 })
  t.diagnostic(summaryOf(report))
  assertNothingLost(report)
  assert.ok(report.promised >= 300, `only ${report.promised} messages were promised`)
})

test('killed five times, with a torn write behind the last COMMIT of the log each time: the same', async (t) => {
  const lab = await startLab(t)
  const report = await runChaos(lab, { seed: seedFor(t), kills: 5, betweenLives: tearLog })
  t.diagnostic(summaryOf(report))
  assertNothingLost(report)
})

test('the judge finds what is lost, changed, there twice, or there though it was refused', async () => {
  const random = seededRandom(1)
  const oracle = createOracle()
  const send = (code: number) => {
    const message = oracle.next(['you@example.test'], 1_000, random)
    oracle.heard(message, code)
    return message
  }
  const [lost, changed, twice, cut, undead] = [send(250), send(250), send(250), send(250), send(550)]
  const at = (content: Buffer, ...answers: string[]) =>
    ({ content, answers, to: ['you@example.test'] }) as unknown as BackendMessage
  const other = Buffer.from(changed.content)
  other[other.length - 3] = 0x21
  const yes = '250 2.0.0 ok'
  const messages = [
    at(other, yes),
    at(twice.content, yes),
    at(Buffer.concat([Buffer.from('Received: from x\r\n\tby y\r\n'), twice.content]), yes),
    at(cut.content),
    at(cut.content, yes),
    at(undead.content, yes),
  ]
  const judged = await oracle.judge([{ messages }], nothingHeld)
  assert.deepEqual(judged.lost, [`${lost.number} you@example.test`])
  assert.equal(judged.changed.length, 1)
  assert.equal(judged.unexcused.length, 1)
  assert.match(judged.unexcused[0] ?? '', new RegExp(`^${twice.number} `))
  assert.deepEqual(judged.undead, [`${undead.number} you@example.test`])
  // What a backend has and never answered for is counted.
  assert.equal(judged.excused, 1)
})

test('the judge excuses a copy that a death kept from being recorded, and none that the log tells of', async () => {
  const random = seededRandom(1)
  const oracle = createOracle()
  const taken = (id: string, content: Buffer) => {
    const trace = Buffer.from(`Received: from x\r\n\tby y with ESMTP id ${id};\r\n\tSun, 1 Jan 2023 00:00:00 +0000\r\n`)
    const answers = ['250 2.0.0 ok']
    const message = { content: Buffer.concat([trace, content]), answers, to: ['you@example.test'] }
    oracle.arrived(message as unknown as BackendMessage)
    return message as unknown as BackendMessage
  }
  const [unrecorded, recorded] = [0, 1].map(() => {
    const message = oracle.next(['you@example.test'], 1_000, random)
    oracle.heard(message, 250)
    return message
  }) as [Numbered, Numbered]
  const delivered = (id: string) => ({ event: 'drained', id, to: ['you@example.test'] })
  const before = [taken('a', unrecorded.content), taken('b', recorded.content)]
  oracle.logged([delivered('b')])
  oracle.killed()
  const behind = [taken('a', unrecorded.content), taken('b', recorded.content)]
  oracle.logged([delivered('a'), delivered('b')])
  const judged = await oracle.judge([{ messages: [...before, ...behind] }], nothingHeld)
  assert.equal(judged.excused, 1)
  assert.deepEqual(judged.unexcused, [`${recorded.number} you@example.test: 2 at backends, 0 held, of 1 recipients`])
})

const nothingHeld = {
  list: async () => ({ messages: [], next: undefined }),
  body: async () => ({ kind: 'gone' }) as const,
}
