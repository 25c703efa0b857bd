import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { collectLog } from '../../../test/lab/log.ts'
import { until } from '../../../test/lab/until.ts'
import { endpoint } from '../../../test/unit/deliver.ts'
import { heldMessage, lane, mailbox } from '../../../test/unit/held-message.ts'
import { seededRandom } from '../../base/random.ts'
import { reply } from '../../mail/reply.ts'
import { type HeldRecipient, type Lane, type Queue, StoreFailure, type Task } from '../../queue/queue.ts'
import type { Route } from '../../routing/backend.ts'
import { createBalancer } from '../../routing/balance.ts'
import { patientSteps } from '../../smtp/client/step-limits.ts'
import { createBackends } from '../backends/backends.ts'
import type { Way } from '../ways/lanes.ts'
import { createDrain, type DrainDeps } from './drain.ts'

test('mail of our own to servers that never come to an end leaves every place to what is held', async () => {
  const [clock, random] = [createFakeClock(), seededRandom(1)]
  const strangers = Array.from({ length: 300 }, (_, number) => lane(`outbound tarpit${number}.example`))
  const lanes = [...strangers, lane('example.test')]
  const asked: string[] = []
  const task = (name: Lane): Task => {
    const { body, ...message } = heldMessage({ id: name })
    return { message: { ...message, size: body.size, has8bit: false }, lane: name, turnMs: 0, recipients: [] }
  }
  const queue = {
    lanes: () => lanes.map((name) => ({ lane: name, ready: 1, waiting: 0, unknown: 0, oldestMs: 0 })),
    nextWakeMs: () => undefined,
    nextUnknown: async () => [],
    next: async (name: Lane, _: number, without: ReadonlySet<string>) =>
      without.has(name) || asked.includes(name) ? [] : [task(name)],
    // A stranger's server takes its time; ours says something at once.
    async body(id: string) {
      asked.push(id)
      if (id.startsWith('outbound')) await new Promise(() => undefined)
      return { kind: 'gone' }
    },
  } as unknown as Queue
  const drain = createDrain({
    clock,
    random,
    log: collectLog().log,
    queue,
    attempting: { clock, random, queue },
    guard: { isStopped: () => false },
    live: { turn: () => undefined },
    writeDown: { whenWritable: async () => true, surely: async () => undefined },
    wayOfLane: (name: Lane) => ({ lane: name, route: { id: name, entries: [] } }) as unknown as Way,
  } as unknown as DrainDeps)
  drain.start()
  await until(() => asked.includes('example.test'))
  assert.equal(asked.filter((name) => name.startsWith('outbound')).length, 50)
})

test('the queue answers slowly, and what was being attempted as it was asked is ready again: it is found', async () => {
  const [clock, random, name] = [createFakeClock(), seededRandom(5), lane('example.test')]
  const { body, ...message } = heldMessage({ id: 'one' })
  const task: Task = { message: { ...message, size: body.size, has8bit: false }, lane: name, turnMs: 0, recipients: [] }
  let attempts = 0
  let looksMeanwhile = 0
  const queue = {
    lanes: () => [{ lane: name, ready: 1, waiting: 0, unknown: 0, oldestMs: 0 }],
    nextWakeMs: () => undefined,
    nextUnknown: async () => [],
    async next(_: Lane, __: number, without: ReadonlySet<string>) {
      if (!without.has('one')) return attempts < 2 ? [task] : []
      looksMeanwhile++
      await until(() => !drain.isAttempting('one'))
      return []
    },
    async body() {
      attempts++
      return { kind: 'gone' }
    },
  } as unknown as Queue
  const drain = createDrain({
    ...{ clock, random, queue, log: collectLog().log },
    attempting: { clock, random, queue },
    guard: { isStopped: () => false },
    live: { turn: () => undefined },
    writeDown: { whenWritable: async () => true, surely: async () => undefined },
    wayOfLane: () => ({ lane: name, route: { id: name, entries: [] } }) as unknown as Way,
  } as unknown as DrainDeps)
  drain.start()
  await until(() => attempts === 2)
  assert.ok(looksMeanwhile > 0)
  await drain.stop()
})

test('what fails by the store or by ourselves says nothing of the backends, and is told by its name', async () => {
  for (const [error, event] of [
    [new StoreFailure('io', 'the disk is broken'), 'drain stopped by the store'],
    [new TypeError('a bug'), 'drain failed'],
  ] as const) {
    const [clock, name] = [createFakeClock(), lane('example.test')]
    const { log, find } = collectLog()
    const queue = {
      lanes: () => [{ lane: name, ready: 1, waiting: 0, unknown: 0, oldestMs: 0 }],
      nextWakeMs: () => undefined,
      nextUnknown: async () => [],
      next: () => Promise.reject(error),
    } as unknown as Queue
    const deps = { clock, random: seededRandom(3), log, queue, live: { turn: () => undefined } }
    const drain = createDrain(deps as unknown as DrainDeps)
    drain.start()
    await until(() => drain.nextTryMs(name) !== undefined)
    assert.equal(drain.isOut(name), false)
    const told = ['drain failed', 'drain stopped by the store'].filter((each) => find(each).length > 0)
    assert.deepEqual(told, [event])
    await drain.stop()
  }
})

test('a backend that is there and breaks every session off is no route that is out: it is tried each minute', async () => {
  const [clock, random, name] = [createFakeClock(), seededRandom(4), lane('example.test')]
  const { log } = collectLog()
  const [nobody, place] = [() => undefined, endpoint({ port: 25 })]
  const recipients = [
    { index: 0, recipient: mailbox('you@example.test'), attempts: 0 },
  ] as unknown as Task['recipients']
  const task = (id: string): Task => {
    const { body, ...message } = heldMessage({ id })
    return { message: { ...message, size: body.size, has8bit: false }, lane: name, turnMs: 0, recipients }
  }
  let number = 0
  const queue = {
    lanes: () => [{ lane: name, ready: 1, waiting: 0, unknown: 0, oldestMs: 0 }],
    nextWakeMs: () => undefined,
    nextUnknown: async () => [],
    next: async () => [task(`${number++}`)],
    settle: async () => undefined,
    body: async () => ({ kind: 'opened', body: { size: 0, has8bit: false, blocks: () => [], release: nobody } }),
  } as unknown as Queue
  const fault = { kind: 'closed', step: 'mail', reply: undefined, detail: 'closed' }
  const transaction = {
    askRecipients: async () => ({ kind: 'lost', fault, reused: false }),
    refusalsLeft: 5,
    abandon: nobody,
  }
  const cutThroughDeps = {
    ...{ clock, log, budgets: { connectMs: 1_000, mailMs: 1_000, rcptMs: 1_000, sessionMs: 0 }, steps: patientSteps },
    delivery: { begin: () => ({ kind: 'begun', transaction }), sessions: () => ({ busy: 0, idle: 0, waiting: 0 }) },
    backends: createBackends({ clock, log, onFailed: nobody, onSlow: nobody, onUp: nobody }),
    endpoints: { expand: () => ({ kind: 'members', members: [{ endpoint: place, tier: 0, weight: 1 }] }) },
    balancer: () => createBalancer('round-robin'),
    waitingPlaces: { begin: nobody, end: nobody },
    sparingly: { tell: nobody },
  }
  const drain = createDrain({
    ...{ clock, random, log, queue },
    attempting: { clock, random, queue, cutThroughDeps: () => cutThroughDeps },
    guard: { isStopped: () => false },
    live: { turn: nobody },
    writeDown: { whenWritable: async () => true, surely: (_: unknown, write: () => Promise<unknown>) => write() },
    wayOfLane: () =>
      ({
        lane: name,
        domain: undefined,
        route: { id: 'one', entries: [{ backend: place.backend }] },
      }) as unknown as Way,
  } as unknown as DrainDeps)
  drain.start()
  for (let round = 1; round <= 4; round++) {
    await until(() => drain.nextTryMs(name) !== undefined)
    // Three sessions in a row that broke are enough for now.
    assert.equal(number, 3 * round)
    assert.equal(drain.isOut(name), false)
    const waitMs = (drain.nextTryMs(name) ?? 0) - clock.now()
    assert.ok(waitMs <= 72_000, `${waitMs} ms`)
    clock.advance(waitMs + 2)
  }
  await drain.stop()
})

/** A drain over one lane with two backends, of which the first is never to be asked; whatever the second is handed, it answers by these words. */
function withTwoBackends(words: { readonly queue: Partial<Queue>; readonly transaction: unknown }) {
  const [clock, random, name] = [createFakeClock(), seededRandom(4), lane('example.test')]
  const collected = collectLog()
  const { log } = collected
  const [nobody, away, place] = [() => undefined, endpoint({ port: 24 }), endpoint({ port: 25 })]
  const queue = {
    lanes: () => [{ lane: name, ready: 1, waiting: 0, unknown: 0, oldestMs: 0 }],
    nextWakeMs: () => undefined,
    nextUnknown: async () => [],
    settle: async () => undefined,
    body: async () => ({ kind: 'opened', body: { size: 0, has8bit: false, blocks: () => [], release: nobody } }),
    ...words.queue,
  } as unknown as Queue
  const cutThroughDeps = {
    ...{ clock, log, budgets: { connectMs: 1_000, mailMs: 1_000, rcptMs: 1_000, sessionMs: 0 }, steps: patientSteps },
    delivery: {
      begin: () => ({ kind: 'begun', transaction: words.transaction }),
      sessions: () => ({ busy: 0, idle: 0, waiting: 0 }),
    },
    backends: createBackends({ clock, log, onFailed: nobody, onSlow: nobody, onUp: nobody }),
    endpoints: {
      expand: ({ entries }: Route) => ({
        kind: 'members',
        members: entries.some(({ backend }) => backend.key === place.backend.key)
          ? [{ endpoint: place, tier: 0, weight: 1 }]
          : [],
      }),
    },
    balancer: () => createBalancer('round-robin'),
    waitingPlaces: { begin: nobody, end: nobody },
    sparingly: { tell: nobody },
  }
  const drain = createDrain({
    ...{ clock, random, log, queue },
    attempting: { clock, random, queue, cutThroughDeps: () => cutThroughDeps },
    guard: { isStopped: () => false, firstAttempt: nobody },
    isAnyGood: () => false,
    live: { turn: nobody },
    writeDown: { whenWritable: async () => true, surely: (_: unknown, write: () => Promise<unknown>) => write() },
    afterHold: { refused: async () => undefined },
    successes: { drained: async () => undefined },
    wayOfLane: () =>
      ({
        lane: name,
        domain: undefined,
        route: { id: 'one', entries: [{ backend: away.backend }, { backend: place.backend }] },
      }) as unknown as Way,
  } as unknown as DrainDeps)
  const task = (id: string, held: Partial<HeldRecipient> = {}): Task => {
    const { body, ...message } = heldMessage({ id })
    const recipient = { index: 0, recipient: mailbox('you@example.test'), attempts: 0, state: 'ready', ...held }
    return {
      ...{ message: { ...message, size: body.size, has8bit: false }, lane: name, turnMs: 0 },
      recipients: [recipient as HeldRecipient],
    }
  }
  return { ...collected, clock, drain, name, away, task }
}

const refusing = {
  askRecipients: async () => ({ kind: 'answered', replies: [reply(550, '5.7.1', 'No')] }),
  refusalsLeft: 5,
  abandon: () => undefined,
}

test('a session on which a backend says nothing to MAIL keeps its lane for half a minute, and no other attempt behind that', async () => {
  const settled: string[] = []
  const speaks = Promise.withResolvers<void>()
  let asked = 0
  const made = withTwoBackends({
    transaction: {
      ...refusing,
      async askRecipients() {
        if (++asked === 1) await speaks.promise
        return { kind: 'answered', replies: [reply(450, '4.2.1', 'Later')] }
      },
    },
    queue: {
      next: async (_, __, without) =>
        tasks.filter(({ message: { id } }) => !without?.has(id) && !settled.includes(id)).slice(0, 1),
      settle: async ({ id }) => void settled.push(id),
    } as Partial<Queue>,
  })
  const { clock, drain, name, task } = made
  const tasks = [task('mute'), task('second'), task('third')]
  drain.start()
  await until(() => asked === 1)
  clock.advance(29_999)
  await new Promise(setImmediate)
  assert.deepEqual([asked, settled], [1, []])
  clock.advance(1)
  await until(() => settled.length === 2)
  assert.deepEqual(settled, ['second', 'third'])
  assert.ok(drain.isAttempting('mute'))
  // Nor does it keep what comes later, and it is not begun again with that.
  tasks.push(task('later'))
  await until(() => {
    drain.noticed(name)
    clock.advance(5_000)
    return settled.includes('later')
  })
  assert.deepEqual([asked, drain.isAttempting('mute')], [4, true])
  speaks.resolve()
  await until(() => settled.includes('mute'))
  await until(() => !drain.isAttempting('mute'))
  await drain.stop()
})

test('what has waited its minute is tried while its lane is being drained, whatever else of it is under way', async () => {
  const settled: string[] = []
  const written = Promise.withResolvers<void>()
  let wakeMs: number | undefined
  const made = withTwoBackends({
    transaction: {
      ...refusing,
      askRecipients: async () => ({ kind: 'answered', replies: [reply(450, '4.2.1', 'Later')] }),
    },
    queue: {
      next: async (_, __, without) => tasks.filter(({ message: { id } }) => !without?.has(id) && !settled.includes(id)),
      nextWakeMs: () => wakeMs,
      async wake() {
        wakeMs = undefined
        tasks.push(task('woken'))
        return [name]
      },
      async settle({ id }) {
        if (id === 'slow disk') await written.promise
        if (id === 'put off') wakeMs = clock.now() + 60_000
        settled.push(id)
      },
    } as Partial<Queue>,
  })
  const { clock, drain, name, task } = made
  const tasks = [task('slow disk'), task('put off')]
  drain.start()
  await until(() => wakeMs !== undefined && !drain.isAttempting('put off'))
  clock.advance(60_001)
  await until(() => settled.includes('woken'))
  assert.deepEqual(settled, ['put off', 'woken'])
  written.resolve()
  await drain.stop()
})

test('what may be with a backend that is away waits for that one, and what is behind it goes to the others', async () => {
  const settled: string[] = []
  const refused: string[] = []
  const made = withTwoBackends({
    transaction: {
      ...refusing,
      async askRecipients() {
        refused.push('asked')
        return refusing.askRecipients()
      },
    },
    queue: {
      nextUnknown: async (_, __, without) => tasks.unknown.filter(({ message }) => !without?.has(message.id)),
      next: async (_, __, without) =>
        refused.length > 0 ? [] : tasks.ready.filter(({ message }) => !without?.has(message.id)),
      settle: async ({ id }) => void settled.push(id),
    } as Partial<Queue>,
  })
  const { clock, drain, name, away, task } = made
  const bound = { state: 'unknown', backend: away.backend.key, elsewhereMs: clock.now() + 3_600_000 } as const
  const tasks = { unknown: Array.from({ length: 10 }, (_, at) => task(`unknown${at}`, bound)), ready: [task('ready')] }
  drain.start()
  await until(() => drain.nextTryMs(name) !== undefined)
  assert.deepEqual([refused.length, settled.filter((id) => id.startsWith('unknown'))], [1, []])
  assert.equal(drain.isOut(name), false)
  assert.ok((drain.nextTryMs(name) ?? 0) - clock.now() <= 72_000)
  await drain.stop()
})

test('what cannot be written down is not delivered again, however often its lane is tried', async () => {
  let asked = 0
  const { drain, name, task, find } = withTwoBackends({
    transaction: {
      ...refusing,
      async askRecipients() {
        asked++
        return { kind: 'answered', replies: [reply(450, '4.2.1', 'Later')] }
      },
    },
    queue: {
      next: async (_, __, without) => (without?.has('one') ? [] : [task('one')]),
      settle: () => Promise.reject(new TypeError('a bug')),
    } as Partial<Queue>,
  })
  for (let round = 0; round < 3; round++) {
    drain.kick([name])
    await until(() => find('outcome cannot be written down, the message is left alone').length === 1)
    await until(() => !drain.isAttempting('one'))
  }
  assert.equal(asked, 1)
  await drain.stop()
})

test('a queue that cannot be read is read again a second later, not at once', async () => {
  let reads = 0
  const { clock, drain, find } = withTwoBackends({
    transaction: refusing,
    queue: {
      next: async () => [],
      nextWakeMs: () => 1,
      wake() {
        reads++
        return Promise.reject(new TypeError('a bug'))
      },
    } as Partial<Queue>,
  })
  drain.start()
  for (let round = 1; round <= 3; round++) {
    await until(() => {
      clock.advance(1)
      return find('the queue cannot be read').length === round
    })
    const before = clock.monotonicMs()
    await until(() => {
      clock.advance(50)
      return reads > round
    })
    assert.ok(clock.monotonicMs() - before >= 950)
  }
  await drain.stop()
})
