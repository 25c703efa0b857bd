import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { collectLog } from '../../../test/lab/log.ts'
import { heldId, heldMessage, lane } from '../../../test/unit/held-message.ts'
import type { NewHeld, Queue, RecipientState, SenderProof, Settlement } from '../../queue/queue.ts'
import { type HoldPolicy, holdPolicy } from '../../routing/hold-policy.ts'
import type { Notice } from '../notices/notices.ts'
import type { Way } from '../ways/lanes.ts'
import { createExpiry } from './expiry.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const policy: HoldPolicy = { ...holdPolicy({}, {}), holdMs: 14 * dayMs }
const proven: SenderProof = { kind: 'proven', by: 'spf' }

type Row = { -readonly [K in keyof NewHeld['recipients'][number]]: NewHeld['recipients'][number][K] } & {
  index: number
  lastAttemptMs?: number | undefined
  keepUntilMs?: number | undefined
  wasDelayTold: boolean
  attempts?: number
}

interface Held {
  readonly message: NewHeld
  rows: (Omit<Row, 'state'> & { state: RecipientState })[]
}

/** A queue in memory, a drain that is told, a clock that is set, and what was settled. */
function world(over: Partial<HoldPolicy> = {}) {
  const fake = createFakeClock()
  let jumpedMs = 0
  const clock = { ...fake, now: () => fake.now() + jumpedMs }
  const held = new Map<string, Held>()
  const settled: Settlement[] = []
  const kicked: string[] = []
  const dsns: { id: string; action: string; status: string | undefined }[] = []
  const drain = { attempting: new Set<string>(), isRouteOut: true }
  const log = collectLog()
  const givenBack: string[] = []
  let whileDnsIsAsked = async (_: string) => {}
  let number = 0

  const entry = ({ message, rows }: Held) => ({
    message: { ...message, size: message.body.size, has8bit: false },
    recipients: rows.map((row) => ({ ...none, ...row })),
  })
  const isOnlyKept = ({ rows }: Held) => rows.every(({ state }) => state === 'refused' || state === 'expired')
  const overdue = (nowMs: number) =>
    [...held.values()].filter((each) => !isOnlyKept(each) && each.message.expiresMs <= nowMs)
  const queue = {
    overdue: async (nowMs: number) => ({
      expiring: overdue(nowMs).map(entry),
      kept: [...held.values()]
        .filter(({ rows }) => rows.some(({ keepUntilMs = Number.POSITIVE_INFINITY }) => keepUntilMs <= nowMs))
        .map(entry),
    }),
    countOverdue: async (nowMs: number) => ({
      overdue: overdue(nowMs).length,
      all: [...held.values()].filter((each) => !isOnlyKept(each)).length,
    }),
    lanes: () => [
      {
        lane: lane('main'),
        ready: held.size,
        waiting: 0,
        unknown: 0,
        oldestMs: held.values().next().value?.message.receivedMs,
      },
    ],
    list: async () => ({ messages: [...held.values()].map(entry), next: undefined }),
    body: async () => ({ kind: 'gone' as const }),
    async get(id: string) {
      const found = held.get(id)
      return found && { ...entry(found), attempts: [] }
    },
    async settle(settlement: Settlement) {
      settled.push(settlement)
      const found = held.get(settlement.id)
      for (const { index, to, from } of settlement.recipients) {
        const row = found?.rows.find((each) => each.index === index)
        if (!found || !row || from?.includes(row.state) === false) continue
        if (to.kind === 'gone') found.rows = found.rows.filter((each) => each !== row)
        else
          Object.assign(
            row,
            to.kind === 'as-it-is' ? {} : { ...to, state: to.kind },
            settlement.delayTold ? { wasDelayTold: true } : {},
          )
      }
      if (found?.rows.length === 0) held.delete(settlement.id)
    },
  } as unknown as Queue
  const stoppedDrains = new Set<string>()
  const route = { id: 'main', entries: [{ backend: { url: 'smtp://one' } }, { backend: { url: 'smtp://two' } }] }
  const way = { lane: lane('main'), route, domain: undefined, policy: { ...policy, ...over } } as unknown as Way
  const make = () =>
    createExpiry({
      clock,
      log: log.log,
      queue,
      drain: {
        kick: (lanes) => void kicked.push(...(lanes ?? [])),
        isAttempting: (id) => drain.attempting.has(id),
        isOut: () => drain.isRouteOut,
        noticed: () => undefined,
      },
      notices: {
        async write({ message }, recipients): Promise<Notice> {
          await whileDnsIsAsked(message.id)
          if (message.proof.kind !== 'proven') return { kind: 'none', why: 'not proven', proof: message.proof }
          for (const { action, status } of recipients) dsns.push({ id: message.id, action, status })
          const told = new Set(recipients.map(({ recipient }) => recipient))
          return {
            kind: 'written',
            held: heldMessage({ id: heldId(9999) }),
            lane: lane('out'),
            told,
            proof: message.proof,
            giveBack: () => void givenBack.push(message.id),
          }
        },
      },
      isDrainStopped: (backend) => stoppedDrains.has(backend),
      wayOfLane: (name) => (name === 'main' ? way : undefined),
      policyOf: ({ lane: name }) => (name === 'main' ? way.policy : undefined),
      tellsOfDelay: () => way.policy.delayNoticeMs !== undefined,
    })
  return {
    clock,
    log,
    settled,
    kicked,
    dsns,
    drain,
    stoppedDrains,
    held,
    make,
    givenBack,
    /** @param happens  while the first notice is written */
    whileDnsIsAsked(happens: (id: string) => void) {
      whileDnsIsAsked = async (id) => {
        whileDnsIsAsked = async () => {}
        await Promise.resolve()
        happens(id)
      }
    },
    jump: (byMs: number) => {
      jumpedMs += byMs
    },
    hold(
      words: { proof?: SenderProof; state?: RecipientState; ageMs?: number; row?: Partial<Held['rows'][number]> } = {},
    ) {
      const id = heldId(++number)
      const receivedMs = clock.now() - (words.ageMs ?? 0)
      const message = {
        ...heldMessage({ id, receivedMs, expiresMs: receivedMs + 14 * dayMs }),
        proof: words.proof ?? proven,
      }
      const rows = message.recipients.map((recipient, index) => ({
        ...recipient,
        index,
        wasDelayTold: false,
        state: words.state ?? recipient.state,
        ...words.row,
      }))
      held.set(id, { message, rows })
      return id
    },
    /** One round of the sweeper, to its end. */
    async round() {
      fake.advance(60_000)
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
    },
    stateOf: (id: string) => held.get(id)?.rows[0]?.state,
  }
}

const none = {
  attempts: 0,
  notBeforeMs: undefined,
  backend: undefined,
  elsewhereMs: undefined,
  lastReply: undefined,
  lastHost: undefined,
  lastAttemptMs: undefined,
  keepUntilMs: undefined,
  firstRefusedMs: undefined,
}
const over = 14 * dayMs + 1

for (const state of ['ready', 'waiting', 'unknown', 'held', 'no-route', 'set-aside', 'corrupt'] as const) {
  test(`a message that is ${state} comes to its end, and what may be tried is tried before`, async () => {
    const { hold, make, round, stateOf, kicked, dsns } = world()
    const id = hold({ state, ageMs: over, proof: { kind: 'not-proven', why: 'no SPF' } })
    const expiry = make()
    expiry.start()
    await round()
    if (state === 'ready' || state === 'waiting' || state === 'unknown') {
      assert.deepEqual(kicked, ['main'])
      assert.notEqual(stateOf(id), 'expired')
      await round()
    }
    assert.equal(stateOf(id), 'expired')
    assert.deepEqual(dsns, [])
    await expiry.stop()
  })
}

test('what is being attempted, or answered for by a transaction, waits for that', async () => {
  const { hold, make, round, stateOf, drain } = world()
  const claimed = hold({ ageMs: over })
  const offered = hold({ ageMs: over, state: 'offered' })
  const listened = hold({ ageMs: over, state: 'unknown', row: { notBeforeMs: Number.MAX_SAFE_INTEGER } })
  drain.attempting.add(claimed)
  const expiry = make()
  expiry.start()
  for (let rounds = 0; rounds < 5; rounds++) await round()
  assert.deepEqual([claimed, offered, listened].map(stateOf), ['ready', 'offered', 'unknown'])
  drain.attempting.clear()
  await round()
  await round()
  assert.equal(stateOf(claimed), undefined)
  await expiry.stop()
})

test('a route that can be reached gets its attempt, and that one decides', async () => {
  const { hold, make, round, stateOf, drain, held, clock } = world()
  const id = hold({ ageMs: over, proof: { kind: 'not-proven', why: 'no SPF' } })
  drain.isRouteOut = false
  const expiry = make()
  expiry.start()
  for (let rounds = 0; rounds < 4; rounds++) await round()
  assert.equal(stateOf(id), 'ready')
  Object.assign(held.get(id)?.rows[0] ?? {}, { state: 'waiting', lastAttemptMs: clock.now() })
  await round()
  assert.equal(stateOf(id), 'expired')
  await expiry.stop()
})

test('a proven sender is told, with the last real code; no route is never told; what was kept goes in the end', async () => {
  const { hold, make, round, stateOf, dsns, log, clock } = world()
  const row = {
    lastReply: { code: 452, enhanced: '4.2.2', text: ['full'] },
    lastHost: 'mx.example.test',
    lastAttemptMs: clock.now(),
  } as never
  const told = hold({ ageMs: over, row })
  const untold = hold({ ageMs: over, state: 'no-route' })
  const old = hold({ state: 'refused', row: { keepUntilMs: clock.now() + 1 } })
  const expiry = make()
  expiry.start()
  await round()
  await round()
  assert.deepEqual(dsns, [{ id: told, action: 'failed', status: '4.2.2' }])
  assert.deepEqual([told, untold, old].map(stateOf), [undefined, 'expired', undefined])
  assert.equal(log.find('expired').length, 2)
  assert.equal(log.find('kept mail thrown away').length, 1)
  await expiry.stop()
})

test('mail of our own leaves a line in the log and nothing else', async () => {
  const { hold, make, round, held, log, dsns } = world()
  const id = hold({ ageMs: over })
  const own = held.get(id) as Held
  held.set(id, {
    ...own,
    message: { ...own.message, client: undefined, envelope: { ...own.message.envelope, sender: null } },
  })
  const expiry = make()
  expiry.start()
  await round()
  await round()
  assert.equal(held.size, 0)
  assert.equal(log.find('own mail expired').length, 1)
  assert.deepEqual(dsns, [])
  await expiry.stop()
})

for (const [words, jumpMs, stops] of [
  ['an hour and a minute ahead', hourMs + 60_000, true],
  ['an hour and a minute back', -hourMs - 60_000, true],
  ['a day ahead', dayMs, true],
  ['a day back', -dayMs, true],
  ['half an hour ahead', hourMs / 2, false],
] as const) {
  test(`the clock jumps ${words}: nothing expires ${stops ? 'until it is back, or a person says so' : 'too early'}`, async () => {
    const { hold, make, round, stateOf, jump, log } = world()
    const id = hold({ ageMs: 14 * dayMs - hourMs / 4 + (jumpMs < 0 ? hourMs : 0) })
    const expiry = make()
    expiry.start()
    jump(jumpMs)
    for (let rounds = 0; rounds < 3; rounds++) await round()
    if (!stops) {
      assert.equal(stateOf(id), undefined)
      await expiry.stop()
      return
    }
    assert.equal(stateOf(id), 'ready')
    assert.match(expiry.stopped ?? '', /clock has jumped/)
    assert.equal(log.find('expiry stopped').length, 1)
    jump(-jumpMs)
    await round()
    assert.equal(expiry.stopped, undefined)
    jump(jumpMs)
    await round()
    assert.equal(expiry.resume(), true)
    assert.equal(expiry.stopped, undefined)
    await round()
    await round()
    assert.equal(stateOf(id), jumpMs > 0 ? undefined : 'ready')
    await expiry.stop()
  })
}

test('more than a tenth of the queue at once stops it, once in the log; a person lets these go and no others', async () => {
  const { hold, make, round, stateOf, log } = world()
  const ids = Array.from({ length: 12 }, () => hold({ ageMs: over }))
  for (let fresh = 0; fresh < 60; fresh++) hold()
  const expiry = make()
  expiry.start()
  for (let rounds = 0; rounds < 3; rounds++) await round()
  assert.equal(stateOf(ids[0] as string), 'ready')
  assert.match(expiry.stopped ?? '', /12 of 72/)
  assert.equal(log.find('expiry stopped').length, 1)
  assert.equal(expiry.resume(), true)
  await round()
  await round()
  assert.equal(stateOf(ids[0] as string), undefined)
  assert.equal(expiry.resume(), false)
  const more = Array.from({ length: 12 }, () => hold({ ageMs: over - 59_000 }))
  await round()
  assert.match(expiry.stopped ?? '', /12 of 72/)
  assert.equal(stateOf(more[0] as string), 'ready')
  await expiry.stop()
})

test('a lane whose oldest has used 25, 50 and 90 % of its time is told once each', async () => {
  const { hold, make, round, log, jump, held } = world()
  hold()
  const expiry = make()
  expiry.start()
  let jumpedDays = 0
  for (const day of [3, 4, 5, 7, 8, 12, 13]) {
    jump((day - jumpedDays) * dayMs)
    jumpedDays = day
    await round()
    await round()
  }
  const told = log.find('held mail grows old').map(({ fields }) => fields.passed)
  assert.deepEqual(told, ['25 %', '50 %', '90 %'])
  held.clear()
  await round()
  hold({ ageMs: 5 * dayMs })
  await round()
  assert.equal(log.find('held mail grows old').length, 4)
  await expiry.stop()
})

test('a delay is told once', async () => {
  const { hold, make, round, dsns } = world({ delayNoticeMs: 4 * hourMs })
  const young = hold({ ageMs: hourMs })
  const late = hold({ ageMs: 5 * hourMs })
  hold({ ageMs: 5 * hourMs, proof: { kind: 'not-proven', why: 'no SPF' } })
  const expiry = make()
  expiry.start()
  for (let rounds = 0; rounds < 3; rounds++) await round()
  assert.deepEqual(dsns, [{ id: late, action: 'delayed', status: undefined }])
  assert.ok(young)
  await expiry.stop()
})

/** An attempt ends: the backend is silent behind its dot. */
const ended = { state: 'unknown', backend: 'smtp://b', attempts: 1, notBeforeMs: 9e15, elsewhereMs: 9e15 } as const

test('an attempt ends as unknown while a notice of delay asks DNS: it stays with its backend', async () => {
  const { hold, make, round, dsns, held, whileDnsIsAsked } = world({ delayNoticeMs: 4 * hourMs })
  const late = hold({ ageMs: 5 * hourMs })
  whileDnsIsAsked((id) => Object.assign(held.get(id)?.rows[0] ?? {}, ended))
  const expiry = make()
  expiry.start()
  await round()
  const [row] = held.get(late)?.rows ?? []
  assert.deepEqual([row?.state, row?.backend, row?.wasDelayTold], ['unknown', 'smtp://b', true])
  assert.equal(dsns.length, 1)
  await expiry.stop()
})

test('an attempt begins while a notice of delay asks DNS: nothing is told before its end', async () => {
  const { hold, make, round, settled, drain, givenBack, whileDnsIsAsked } = world({ delayNoticeMs: 4 * hourMs })
  const late = hold({ ageMs: 5 * hourMs })
  whileDnsIsAsked((id) => drain.attempting.add(id))
  const expiry = make()
  expiry.start()
  await round()
  assert.deepEqual([settled, givenBack], [[], [late]])
  drain.attempting.clear()
  await round()
  assert.deepEqual([settled.length, settled[0]?.dsn !== undefined], [1, true])
  await expiry.stop()
})

test('rows were read before a notice asked DNS: what has changed meanwhile neither ends nor goes on', async () => {
  const { hold, make, round, stateOf, settled, held, givenBack, whileDnsIsAsked } = world()
  const first = hold({ ageMs: over, state: 'held' })
  const second = hold({ ageMs: over, state: 'waiting', row: { notBeforeMs: 1 } })
  for (let others = 0; others < 20; others++) hold()
  whileDnsIsAsked(() => {
    for (const id of [first, second]) Object.assign(held.get(id)?.rows[0] ?? {}, ended)
  })
  const expiry = make()
  expiry.start()
  await round()
  assert.deepEqual([stateOf(first), stateOf(second)], ['unknown', 'unknown'])
  assert.equal(held.get(second)?.rows[0]?.backend, 'smtp://b')
  assert.deepEqual(givenBack, [first])
  assert.ok(settled.every(({ dsn }) => dsn === undefined))
  await expiry.stop()
})

test('what a drain keeps back that is stopped does not expire before a person has looked; what a person holds does', async () => {
  const { stoppedDrains, clock, hold, make, round, stateOf, dsns, kicked, drain } = world()
  const [id, overdue, kept] = [
    hold(),
    hold({ row: { lastAttemptMs: Number.MAX_SAFE_INTEGER } }),
    hold({ state: 'held' }),
  ]
  stoppedDrains.add('smtp://two')
  clock.advance(15 * dayMs)
  make().start()
  for (let rounds = 0; rounds < 3; rounds++) await round()
  assert.deepEqual([stateOf(id), stateOf(overdue), stateOf(kept)], ['ready', 'ready', undefined])
  assert.deepEqual([dsns.length, kicked], [1, []])
  stoppedDrains.clear()
  drain.isRouteOut = false
  await round()
  // It has its last chance first, as everything has.
  assert.deepEqual([stateOf(id), stateOf(overdue), kicked], ['ready', undefined, ['main']])
})
