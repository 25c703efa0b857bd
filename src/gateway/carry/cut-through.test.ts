import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { collectLog } from '../../../test/lab/log.ts'
import { endpoint, job, mailbox, message } from '../../../test/unit/deliver.ts'
import type { Clock } from '../../base/clock.ts'
import type { Recipient } from '../../mail/message.ts'
import { type Reply, reply } from '../../mail/reply.ts'
import type { Route } from '../../routing/backend.ts'
import { createBalancer } from '../../routing/balance.ts'
import { patientSteps } from '../../smtp/client/step-limits.ts'
import { createBackends } from '../backends/backends.ts'
import { CutThrough } from './cut-through.ts'
import type { CutThroughDeps } from './cut-through-deps.ts'
import { depsForHeldMail } from './held-mail-deps.ts'
import { LiveFirst } from './live-first.ts'

/** One backend that is up, whose sessions go so. */
function depsFor(transaction: object, clock: Clock): CutThroughDeps {
  const [{ log }, nothing, place] = [collectLog(), () => undefined, endpoint({ port: 25 })]
  return {
    ...{ clock, log, live: new LiveFirst(clock), steps: patientSteps },
    budgets: { connectMs: 1_000, mailMs: 1_000, rcptMs: 1_000, dotMs: 900_000, bodyReserveMs: 600_000 },
    delivery: { begin: () => ({ kind: 'begun', transaction }), sessions: () => ({ busy: 0, idle: 0, waiting: 0 }) },
    backends: createBackends({ clock, log, onFailed: nothing, onSlow: nothing, onUp: nothing }),
    endpoints: { expand: () => ({ kind: 'members', members: [{ endpoint: place, tier: 0, weight: 1 }] }) },
    balancer: () => createBalancer('round-robin'),
    waitingPlaces: { begin: nothing, end: nothing },
  } as unknown as CutThroughDeps
}

/** @returns how long the body of a message of so many octets may take to leave, and the answer to its dot to come behind that */
async function timeFor(octets: number, isFromHold: boolean): Promise<{ bodyMs: number; thenMs: number }> {
  const clock = createFakeClock()
  const given = { bodyMs: 0, thenMs: 0 }
  const yes = reply(250, '2.0.0', 'yes')
  const transaction = {
    askRecipients: async () => ({ kind: 'answered', replies: [yes] }),
    async data(_: unknown, { bodyUntilMs, untilMs }: { bodyUntilMs: number; untilMs: number }) {
      Object.assign(given, { bodyMs: bodyUntilMs - clock.monotonicMs(), thenMs: untilMs - bodyUntilMs })
      return { kind: 'answered', step: 'dot', replies: [yes] }
    },
    acceptedCount: 1,
    refusalsLeft: 5,
    abandon: () => undefined,
  }
  const deps = depsFor(transaction, clock)
  const cut = new CutThrough({ id: 'one', entries: [] } as unknown as Route, undefined, { ...job(), isFromHold }, deps)
  await cut.askRecipients([mailbox('you@example.test')])
  const carried = await cut.deliver(message((async function* () {})(), octets))
  assert.equal(carried.kind, 'answered')
  return given
}

test('a long message of the hold has the time of each of its blocks, and behind its dot as long as any', async () => {
  const minuteMs = 60_000
  assert.deepEqual(await timeFor(100, true), { bodyMs: 8 * minuteMs, thenMs: 10 * minuteMs })
  assert.deepEqual(await timeFor(50 * 1024 * 1024, true), { bodyMs: (5 + 800 * 3) * minuteMs, thenMs: 10 * minuteMs })
  // A sender that waits does not wait longer for it.
  assert.deepEqual(await timeFor(50 * 1024 * 1024, false), { bodyMs: 5 * minuteMs, thenMs: 10 * minuteMs })
})

test('a backend that knows of other recipients than we do gets nothing, and its session serves others', async () => {
  let abandoned = 0
  const transaction = {
    askRecipients: async () => ({ kind: 'answered', replies: [reply(250, '2.0.0', 'yes')] }),
    data: () => assert.fail('it gets nothing'),
    acceptedCount: 2,
    refusalsLeft: 5,
    abandon: () => abandoned++,
  }
  const deps = depsFor(transaction, createFakeClock())
  const cut = new CutThrough({ id: 'one', entries: [] } as unknown as Route, undefined, job(), deps)
  await cut.askRecipients([mailbox('you@example.test')])
  await assert.rejects(cut.deliver(message('x')), TypeError)
  assert.equal(abandoned, 1)
})

/** What is learnt of two recipients, whom a backend has accepted, and of one that the hold has vouched for. */
async function learning(words: { said?: readonly Reply[]; isFromHold?: true; atReplay?: Reply }) {
  const yes = reply(250, '2.0.0', 'yes')
  let timesAsked = 0
  const transaction = {
    acceptedCount: 0,
    async askRecipients(asked: readonly unknown[]) {
      transaction.acceptedCount += asked.length
      const said = ++timesAsked > 1 ? (words.atReplay ?? yes) : yes
      return { kind: 'answered', replies: asked.map(() => said) }
    },
    data: async () => ({ kind: 'answered', step: 'dot', replies: words.said }),
    refusalsLeft: 5,
    abandon() {
      transaction.acceptedCount = 0
    },
  }
  const learnt: string[] = []
  const learn = (what: string) => (recipient: Recipient) => void learnt.push(`${what} ${recipient.localPart}`)
  const onAnswer = { delivered: learn('delivered'), accepted: learn('accepted'), refused: learn('refused') }
  const live = { ...depsFor(transaction, createFakeClock()), onAnswer }
  const of = { ...job(), ...(words.isFromHold ? { isFromHold: true } : {}) }
  const deps = words.isFromHold ? depsForHeldMail(live) : live
  const cut = new CutThrough({ id: 'one', entries: [] } as unknown as Route, undefined, of, deps)
  await cut.askRecipients([mailbox('one@example.test'), mailbox('two@example.test')])
  if (!words.isFromHold) cut.include(mailbox('three@example.test'))
  if (words.said) await cut.deliver(message((async function* () {})(), 3))
  cut.abandon()
  return learnt
}

test('whom a message was taken for is learnt as that, and who was only accepted, or vouched for, as no more', async () => {
  const [yes, no] = [reply(250, '2.0.0', 'yes'), reply(554, '5.6.0', 'no')]
  assert.deepEqual(await learning({ said: [yes] }), ['delivered one', 'delivered two', 'delivered three'])
  assert.deepEqual(await learning({ said: [no] }), ['accepted one', 'accepted two'])
  // By LMTP each for itself.
  assert.deepEqual(await learning({ said: [yes, no, no] }), ['delivered one', 'accepted two'])
  // No message came.
  assert.deepEqual(await learning({}), ['accepted one', 'accepted two'])
})

test('a refusal at a replay teaches nothing: who was accepted before was accepted', async () => {
  const no = reply(550, '5.1.1', 'no')
  assert.deepEqual(await learning({ said: [], atReplay: no }), ['accepted one', 'accepted two'])
})

test('the drain teaches whom it has delivered to, and nothing else', async () => {
  const [yes, no] = [reply(250, '2.0.0', 'yes'), reply(550, '5.1.1', 'no')]
  assert.deepEqual(await learning({ said: [yes, no], isFromHold: true }), ['delivered one'])
  assert.deepEqual(await learning({ isFromHold: true }), [])
})
