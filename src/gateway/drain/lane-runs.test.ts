import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { collectLog } from '../../../test/lab/log.ts'
import { until } from '../../../test/lab/until.ts'
import { endpoint } from '../../../test/unit/deliver.ts'
import { heldMessage, lane } from '../../../test/unit/held-message.ts'
import { seededRandom } from '../../base/random.ts'
import type { Lane, Queue, Task } from '../../queue/queue.ts'
import { createDrain, type DrainDeps } from './drain.ts'

/** A drain with one message in one lane that leads nowhere now: each try finds nobody. */
function leadingNowhere() {
  const [clock, random] = [createFakeClock(), seededRandom(2)]
  const name = lane('example.test')
  const { body, ...message } = heldMessage({ id: 'one' })
  const task: Task = { message: { ...message, size: body.size, has8bit: false }, lane: name, turnMs: 0, recipients: [] }
  const tries: number[] = []
  const queue = {
    lanes: () => [{ lane: name, ready: 1, waiting: 0, unknown: 0, oldestMs: 0 }],
    nextWakeMs: () => undefined,
    nextUnknown: async () => [],
    next: async (_: Lane, __: number, without: ReadonlySet<string>) => (without.has('one') ? [] : [task]),
  } as unknown as Queue
  const drain = createDrain({
    clock,
    random,
    log: collectLog().log,
    queue,
    live: { turn: () => undefined },
    onNowhere: () => undefined,
    wayOfLane() {
      tries.push(clock.monotonicMs())
      return undefined
    },
  } as unknown as DrainDeps)
  return { clock, drain, name, tries }
}

test('a route where nobody can be asked is tried after 1, 2, 5, 10, 20 and then every 30 minutes, not each message by itself', async () => {
  const { clock, drain, name, tries } = leadingNowhere()
  drain.start()
  for (const minutes of [1, 2, 5, 10, 20, 30, 30, 30]) {
    await until(() => drain.nextTryMs(name) !== undefined)
    const before = tries.length
    assert.ok(drain.isOut(name))
    const waitMs = (drain.nextTryMs(name) ?? 0) - clock.now()
    // ± 20 %, so that what failed together does not come back together.
    assert.ok(Math.abs(waitMs - minutes * 60_000) <= minutes * 12_000, `${waitMs} ms for ${minutes} minutes`)
    // Whatever comes meanwhile waits with it.
    drain.noticed(name)
    clock.advance(waitMs - 2)
    await Promise.resolve()
    assert.equal(tries.length, before)
    clock.advance(4)
    await until(() => tries.length === before + 1)
  }
  await drain.stop()
})

test('a person who wants it tried, or a backend that is back, begins the pauses anew', async () => {
  const { clock, drain, name, tries } = leadingNowhere()
  drain.start()
  for (let round = 0; round < 4; round++) {
    await until(() => drain.nextTryMs(name) !== undefined)
    clock.advance(40 * 60_000)
    await until(() => tries.length === round + 2)
  }
  await until(() => drain.nextTryMs(name) !== undefined)
  drain.kick([name])
  await until(() => tries.length === 6 && drain.nextTryMs(name) !== undefined)
  assert.ok((drain.nextTryMs(name) ?? 0) - clock.now() <= 72_000)
  await drain.stop()
})

test('the guard counts on where a backend fails now and then, and starts over where it has been away', () => {
  const startedOver: string[] = []
  const drain = createDrain({
    ...{ clock: createFakeClock(), queue: { lanes: () => [], nextWakeMs: () => undefined } },
    guard: { startOver: (url: string) => void startedOver.push(url) },
    live: { turn: () => undefined },
  } as unknown as DrainDeps)
  const place = endpoint({ port: 25 })
  drain.endpointUp(place, false)
  assert.deepEqual(startedOver, [])
  drain.endpointUp(place, true)
  assert.deepEqual(startedOver, [place.backend.url])
})
