import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { collectLog } from '../../../test/lab/log.ts'
import { heldId, heldMessage, lane } from '../../../test/unit/held-message.ts'
import { seededRandom } from '../../base/random.ts'
import type { HeldRecipient, Settlement, Task } from '../../queue/queue.ts'
import type { Way } from '../ways/lanes.ts'
import type { CouldNot } from './attempt.ts'
import { type SettleDeps, settleAttempt } from './settle-attempt.ts'

const { body, ...message } = heldMessage({ id: heldId(1) })

/** @returns what is written down of an attempt at which no backend could be asked to take it */
async function settled(held: Partial<HeldRecipient>, kind: CouldNot['kind']): Promise<Settlement> {
  const settlements: Settlement[] = []
  const deps = {
    clock: createFakeClock(),
    random: seededRandom(1),
    log: collectLog().log,
    queue: { settle: async (settlement: Settlement) => void settlements.push(settlement) },
    writeDown: { surely: (_: unknown, write: () => Promise<void>) => write() },
  } as unknown as SettleDeps
  const recipients = message.recipients.map((each) => ({ ...each, attempts: 2, index: 0, ...held })) as HeldRecipient[]
  const task: Task = {
    message: { ...message, size: body.size, has8bit: false },
    lane: lane('main'),
    turnMs: 0,
    recipients,
  }
  await settleAttempt(task, {} as Way, { kind, endpoint: undefined, why: 'in this test' }, deps)
  return settlements[0] ?? assert.fail()
}

test('what nobody could take is put off only where it is still what it was when the attempt began', async () => {
  const bound = { state: 'unknown', backend: 'smtp://one', elsewhereMs: 9 } as const
  for (const kind of ['unable', 'broken'] as const) {
    const [one] = (await settled(bound, kind)).recipients
    assert.deepEqual([one?.to.kind, one?.from, one?.behind], ['unknown', ['unknown'], 'smtp://one'])
  }
  // No server said a thing, and one was reached.
  const lost = await settled({ state: 'ready' }, 'broken')
  assert.deepEqual(lost.recipients[0]?.reply, { code: 451, enhanced: '4.4.2', text: ['in this test'] })
  assert.equal(lost.attempt?.host, undefined)
  assert.equal((await settled({ state: 'ready' }, 'unable')).recipients[0]?.reply, undefined)
  for (const kind of ['unable', 'broken'] as const) {
    const [one] = (await settled({ state: 'ready' }, kind)).recipients
    assert.deepEqual([one?.to.kind, one?.from, one?.behind], ['waiting', ['ready'], undefined])
  }
})
