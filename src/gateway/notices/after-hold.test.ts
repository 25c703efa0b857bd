import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { collectLog } from '../../../test/lab/log.ts'
import { settingsOf } from '../../../test/lab/settings.ts'
import { heldId, heldMessage, lane } from '../../../test/unit/held-message.ts'
import { seededRandom } from '../../base/random.ts'
import type { HostName } from '../../dns/name.ts'
import { reply } from '../../mail/reply.ts'
import { createMessageIds } from '../../mail/trace.ts'
import { type Queue, type Settlement, StoreFailure } from '../../queue/queue.ts'
import { holdPolicy } from '../../routing/hold-policy.ts'
import type { Way } from '../ways/lanes.ts'
import { createAfterHold } from './after-hold.ts'
import { createNotices } from './notices.ts'
import { undecided } from './sender-proof.ts'

test('the store fails while a refusal is settled: the next try tells the sender all the same', async () => {
  const [clock, random] = [createFakeClock(), seededRandom(1)]
  const message = heldMessage({ id: heldId(1) })
  const settings = settingsOf({}, { state: '/tmp/none', certificate: '', key: '', address: '127.0.0.1' })
  const settled: Settlement[] = []
  let isBroken = true
  const queue = {
    get: async () => ({
      message: { ...message, size: message.body.size, has8bit: false },
      recipients: message.recipients.map((held, index) => ({ ...held, index, attempts: 1 })),
      attempts: [],
    }),
    body: async () => ({ kind: 'opened', body: message.body }),
    async settle(settlement: Settlement) {
      if (isBroken) throw new StoreFailure('full', 'no room')
      settled.push(settlement)
    },
  } as unknown as Queue
  const proofs = { known: () => undefined, prove: async () => undecided }
  const afterHold = createAfterHold({
    clock,
    random,
    log: collectLog().log,
    queue,
    notices: createNotices({ clock, random, ids: createMessageIds(random), proofs, settings: () => settings }),
    policyOf: () => holdPolicy({}, {}),
    hostname: () => 'mx.waypost.test' as HostName,
    onHeld: () => undefined,
  })
  const way = { lane: lane('main'), route: { id: 'main' }, domain: undefined, policy: holdPolicy({}, {}) } as Way
  const refused = [{ index: 0, reply: { code: 550, enhanced: '5.7.1', text: ['no'] } }]
  const what = { id: message.id, way, endpoint: undefined, refused }
  await assert.rejects(afterHold.refused(what), { code: 'full' })
  isBroken = false
  await afterHold.refused(what)
  assert.equal(settled[0]?.dsn?.recipients[0]?.recipient.text, 'joe@sender.example')
  // That one went out: another within the hour does not.
  await afterHold.refused(what)
  assert.equal(settled[1]?.dsn, undefined)
})

test('while DNS is asked an attempt ends otherwise, or a person holds it: the refusal ends only what is as it was', async () => {
  const [clock, random] = [createFakeClock(), seededRandom(1)]
  const message = heldMessage({ id: heldId(1), to: { 'a@b.test': {}, 'b@b.test': {}, 'c@b.test': {} } })
  const settings = settingsOf({}, { state: '/tmp/none', certificate: '', key: '', address: '127.0.0.1' })
  const settled: Settlement[] = []
  const rows = message.recipients.map((held, index) => ({ ...held, index, attempts: 1 }))
  const queue = {
    get: async () => ({
      message: { ...message, size: message.body.size, has8bit: false },
      recipients: rows.map((row) => ({ ...row })),
      attempts: [],
    }),
    body: async () => ({ kind: 'opened', body: message.body }),
    settle: async (settlement: Settlement) => void settled.push(settlement),
  } as unknown as Queue
  let times = 0
  const proofs = {
    known: () => undefined,
    async prove() {
      if (times++ > 0) return undecided
      Object.assign(rows[0] ?? {}, { state: 'unknown', attempts: 2 })
      Object.assign(rows[1] ?? {}, { state: 'held' })
      return { kind: 'not-proven' as const, why: 'no SPF' }
    },
  }
  const notProven = { ...message, proof: { kind: 'undecided' as const } }
  Object.assign(message, notProven)
  const afterHold = createAfterHold({
    clock,
    random,
    log: collectLog().log,
    queue,
    notices: createNotices({ clock, random, ids: createMessageIds(random), proofs, settings: () => settings }),
    policyOf: () => holdPolicy({}, {}),
    hostname: () => 'mx.waypost.test' as HostName,
    onHeld: () => undefined,
  })
  const way = { lane: lane('main'), route: { id: 'main' }, domain: undefined, policy: holdPolicy({}, {}) } as Way
  const reply = { code: 550, enhanced: '5.7.1', text: ['no'] }
  const refused = rows.map(({ index }) => ({ index, reply }))
  await afterHold.refused({ id: message.id, way, endpoint: undefined, refused })
  assert.deepEqual(
    settled.map(({ recipients }) => recipients.map(({ index, to, from }) => [index, to.kind, from])),
    [
      [
        [1, 'waiting', []],
        [2, 'waiting', ['ready']],
      ],
    ],
  )
})

test('the late word of a backend is no word on what another may have by now', async () => {
  const [clock, random] = [createFakeClock(), seededRandom(1)]
  const message = heldMessage({ id: heldId(1), to: { 'a@b.test': {}, 'b@b.test': {}, 'c@b.test': {} } })
  const now = [
    { state: 'unknown', backend: 'smtp://late' },
    { state: 'unknown', backend: 'smtp://other' },
    { state: 'ready', backend: undefined },
  ]
  const settled: Settlement[] = []
  const queue = {
    get: async () => ({
      message: { ...message, size: message.body.size, has8bit: false },
      recipients: message.recipients.map((held, index) => ({ ...held, ...now[index], index, attempts: 1 })),
      attempts: [],
    }),
    settle: async (settlement: Settlement) => void settled.push(settlement),
  } as unknown as Queue
  const afterHold = createAfterHold({
    clock,
    random,
    log: collectLog().log,
    queue,
    notices: { write: async () => ({ kind: 'none', why: 'in this test', proof: message.proof }) },
    policyOf: () => holdPolicy({}, {}),
    hostname: () => 'mx.waypost.test' as HostName,
    onHeld: () => undefined,
  })
  const way = { lane: lane('main'), route: { id: 'main' }, domain: undefined, policy: holdPolicy({}, {}) } as Way
  const refused = now.map((_, index) => ({ index, reply: { code: 550, enhanced: '5.7.1', text: ['no'] } }))
  await afterHold.refused({ id: message.id, way, endpoint: undefined, refused, behind: 'smtp://late' })
  assert.deepEqual(
    settled.map(({ recipients }) => recipients.map(({ index }) => index)),
    [[0]],
  )
})

test('while DNS does not say who the sender is, what a backend may have waits for that one, unless it was its late word', async () => {
  const [clock, random] = [createFakeClock(), seededRandom(1)]
  const message = heldMessage({ id: heldId(1) })
  const bound = { state: 'unknown', backend: 'smtp://one', elsewhereMs: clock.now() + 9e6 } as const
  const settled: Settlement[] = []
  const queue = {
    get: async () => ({
      message: { ...message, size: message.body.size, has8bit: false },
      recipients: message.recipients.map((held, index) => ({ ...held, ...bound, index, attempts: 1 })),
      attempts: [],
    }),
    settle: async (settlement: Settlement) => void settled.push(settlement),
  } as unknown as Queue
  const afterHold = createAfterHold({
    clock,
    random,
    log: collectLog().log,
    queue,
    notices: { write: async () => ({ kind: 'undecided', why: 'in this test', proof: { kind: 'undecided' } }) },
    policyOf: () => holdPolicy({}, {}),
    hostname: () => 'mx.waypost.test' as HostName,
    onHeld: () => undefined,
  })
  const way = { lane: lane('main'), route: { id: 'main' }, domain: undefined, policy: holdPolicy({}, {}) } as Way
  const what = { id: message.id, way, endpoint: undefined, refused: [{ index: 0, reply: reply(550, '5.7.1', 'no') }] }
  await afterHold.refused(what)
  await afterHold.refused({ ...what, behind: 'smtp://one' })
  const to = settled.map(({ recipients }) => recipients[0]?.to)
  assert.deepEqual(
    to.map((each) => [each?.kind, each && 'firstRefusedMs' in each && each.firstRefusedMs]),
    [
      ['unknown', clock.now()],
      ['waiting', clock.now()],
    ],
  )
  assert.equal(to[0]?.kind === 'unknown' && to[0].backend, 'smtp://one')
})
