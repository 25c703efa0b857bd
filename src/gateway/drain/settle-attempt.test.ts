import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { collectLog } from '../../../test/lab/log.ts'
import { heldId, heldMessage, lane } from '../../../test/unit/held-message.ts'
import { seededRandom } from '../../base/random.ts'
import type { HeldRecipient, Settlement, Task } from '../../queue/queue.ts'
import type { Way } from '../ways/lanes.ts'
import type { CouldNot, Spoken } from './attempt.ts'
import { type SettleDeps, settleAttempt, settleCrash } from './settle-attempt.ts'

const { body, ...message } = heldMessage({ id: heldId(1) })

/** @returns what is written down of what `settle` is handed */
async function written(
  held: Partial<HeldRecipient>,
  settle: (task: Task, deps: SettleDeps) => Promise<void>,
): Promise<Settlement> {
  const settlements: Settlement[] = []
  const deps = {
    clock: createFakeClock(),
    random: seededRandom(1),
    log: collectLog().log,
    queue: {
      get: async () => undefined,
      settle: async (settlement: Settlement) => void settlements.push(settlement),
    },
    writeDown: { surely: (_: unknown, write: () => Promise<void>) => write() },
  } as unknown as SettleDeps
  const recipients = message.recipients.map((each) => ({ ...each, attempts: 2, index: 0, ...held })) as HeldRecipient[]
  const task: Task = {
    message: { ...message, size: body.size, has8bit: false },
    lane: lane('main'),
    turnMs: 0,
    recipients,
  }
  await settle(task, deps)
  return settlements[0] ?? assert.fail()
}

/** Of an attempt at which no backend could be asked to take it. */
const settled = (held: Partial<HeldRecipient>, kind: CouldNot['kind']) =>
  written(held, (task, deps) =>
    settleAttempt(task, {} as Way, { kind, endpoint: undefined, why: 'in this test' }, deps),
  )

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

test('a fault of our own takes nothing from the backend that may have it', async () => {
  const crashed = async (held: Partial<HeldRecipient>) =>
    (await written(held, (task, deps) => settleCrash(task, new TypeError('in this test'), () => '', deps)))
      .recipients[0]
  const bound = await crashed({ state: 'unknown', backend: 'smtp://one', elsewhereMs: 9e15 })
  assert.ok(bound?.to.kind === 'unknown')
  assert.deepEqual([bound.to.backend, bound.to.elsewhereMs], ['smtp://one', 9e15])
  assert.deepEqual([bound.from, bound.behind], [['unknown'], 'smtp://one'])
  const free = await crashed({ state: 'ready' })
  assert.deepEqual([free?.to.kind, free?.from, free?.behind], ['waiting', ['ready'], undefined])
})

test('a backend that is silent behind our dot is listened to, or its session let go, whatever fails', async () => {
  const heard = async (failing: 'settle' | 'refused' | 'neither') => {
    const told: string[] = []
    const fails = (what: string) => async () => {
      if (what === failing) throw new TypeError('a bug, in this test')
    }
    const silent = {
      kind: 'spoken',
      outcome: 'unknown',
      settlement: { id: message.id, recipients: [] },
      refused: [{ index: 1, reply: { code: 550, enhanced: '5.7.1', text: ['no'] } }],
      heard: [],
      late: { watched: {}, answer: { letGo: () => void told.push('let go') } },
    } as unknown as Spoken
    const deps = {
      clock: createFakeClock(),
      log: collectLog().log,
      queue: { settle: fails('settle') },
      afterHold: { refused: fails('refused') },
      lateWatch: { listen: () => void told.push('listened to') },
      successes: { drained: async () => undefined },
      writeDown: { surely: (_: unknown, write: () => Promise<void>) => write() },
    } as unknown as SettleDeps
    const task = { message, recipients: [] } as unknown as Task
    const settling = settleAttempt(task, { route: { id: 'main' } } as Way, silent, deps)
    if (failing === 'neither') await settling
    else await assert.rejects(settling, TypeError)
    return told
  }
  assert.deepEqual(await heard('settle'), ['let go'])
  assert.deepEqual(await heard('refused'), ['listened to'])
  assert.deepEqual(await heard('neither'), ['listened to'])
})
