import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { collectLog } from '../../../test/lab/log.ts'
import { endpoint, job, mailbox, message } from '../../../test/unit/deliver.ts'
import { reply } from '../../mail/reply.ts'
import type { Route } from '../../routing/backend.ts'
import { createBalancer } from '../../routing/balance.ts'
import { patientSteps } from '../../smtp/client/step-limits.ts'
import { createBackends } from '../backends/backends.ts'
import { CutThrough } from './cut-through.ts'
import type { CutThroughDeps } from './cut-through-deps.ts'
import { LiveFirst } from './live-first.ts'

/** @returns how long the body of a message of so many octets may take to leave, and the answer to its dot to come behind that */
async function timeFor(octets: number, isFromHold: boolean): Promise<{ bodyMs: number; thenMs: number }> {
  const [clock, { log }, nothing] = [createFakeClock(), collectLog(), () => undefined]
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
    abandon: nothing,
  }
  const place = endpoint({ port: 25 })
  const deps = {
    ...{ clock, log, live: new LiveFirst(clock), steps: patientSteps },
    budgets: { connectMs: 1_000, mailMs: 1_000, rcptMs: 1_000, dotMs: 900_000, bodyReserveMs: 600_000 },
    delivery: { begin: () => ({ kind: 'begun', transaction }), sessions: () => ({ busy: 0, idle: 0, waiting: 0 }) },
    backends: createBackends({ clock, log, onFailed: nothing, onSlow: nothing, onUp: nothing }),
    endpoints: { expand: () => ({ kind: 'members', members: [{ endpoint: place, tier: 0, weight: 1 }] }) },
    balancer: () => createBalancer('round-robin'),
    patience: { begin: nothing, end: nothing },
  } as unknown as CutThroughDeps
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
