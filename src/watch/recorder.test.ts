import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../test/lab/fake-clock.ts'
import { collectLog } from '../../test/lab/log.ts'
import { idle } from '../../test/lab/web.ts'
import { systemRandom } from '../base/random.ts'
import type { BackendReport } from '../gateway/backends/report.ts'
import type { DomainSummary } from '../queue/queue.ts'
import { createOutages } from './outages.ts'
import { createRecorder } from './recorder.ts'
import type { Flush, OutageRow } from './tables.ts'

test('who asks for a report hears of what is held at that moment, and not at the last look', async (t) => {
  const clock = createFakeClock()
  let heldByDomain: readonly DomainSummary[] = []
  const written: OutageRow[] = []
  const recorder = createRecorder({
    clock,
    log: collectLog().log,
    history: { flush: async ({ outages }) => void written.push(...outages) },
    outages: createOutages([], (domain) => domain, systemRandom),
    read: () => ({ ...idle.figures.snapshot(), heldByDomain }),
  })
  t.after(() => recorder.stop())

  heldByDomain = [{ domain: 'example.test', messages: 1, bytes: 10, oldestMs: 0, byState: { ready: 1 } }] as never
  recorder.tell({ kind: 'held', atMs: clock.now(), id: '1', domains: ['example.test'], bytes: 10 } as never)
  await recorder.flush()
  assert.deepEqual([written.at(-1)?.endedMs, JSON.parse(written.at(-1)?.value ?? '').left], [null, 1])

  // A person removes it, and asks at once.
  heldByDomain = []
  clock.advance(1)
  await recorder.flush()
  assert.deepEqual([written.at(-1)?.endedMs, JSON.parse(written.at(-1)?.value ?? '').left], [clock.now(), 0])
})

test('a message that expires is counted in the outage that it was held in', async (t) => {
  const clock = createFakeClock()
  const written: OutageRow[] = []
  const recorder = createRecorder({
    clock,
    log: collectLog().log,
    history: { flush: async ({ outages }) => void written.push(...outages) },
    outages: createOutages([], (domain) => domain, systemRandom),
    read: () => idle.figures.snapshot(),
  })
  t.after(() => recorder.stop())
  const domains = ['example.test']
  recorder.tell({ kind: 'held', atMs: clock.now(), id: '1', domains, bytes: 10 } as never)
  recorder.tell({ kind: 'expired', atMs: clock.now(), id: '1', domains, recipients: 1, told: 0 })
  await recorder.flush()
  const { drained, expired } = JSON.parse(written.at(-1)?.value ?? '')
  assert.deepEqual([drained, expired], [0, 1])
})

test('an outage of a backend lasts until it is up, and not only until it is doubted', async (t) => {
  const clock = createFakeClock()
  const written: OutageRow[] = []
  let state: BackendReport['state'] = 'suspect'
  const before = {
    id: 'a',
    kind: 'backend',
    name: 'smtp://a',
    beganMs: clock.now() - 60_000,
    endedMs: null,
    value: '{}',
  }
  const recorder = createRecorder({
    clock,
    log: collectLog().log,
    history: { flush: async ({ outages }) => void written.push(...outages) },
    outages: createOutages([before], (domain) => domain, systemRandom),
    read: () => ({
      ...idle.figures.snapshot(),
      backends: [{ url: 'smtp://a', address: '10.0.0.1:25', state, sessions: 0, lastError: null, share: 1 }],
    }),
  })
  t.after(() => recorder.stop())

  for (state of ['suspect', 'down'] as const) await recorder.flush()
  assert.deepEqual(written, [])
  state = 'up'
  await recorder.flush()
  assert.deepEqual(
    written.map(({ id, endedMs }) => [id, endedMs]),
    [['a', clock.now()]],
  )
})

test('time in which nobody knows whether a backend serves counts neither for it nor against it', async (t) => {
  const clock = createFakeClock()
  const written: Flush[] = []
  let state: BackendReport['state'] = 'suspect'
  const recorder = createRecorder({
    clock,
    log: collectLog().log,
    history: { flush: async (what) => void written.push(what) },
    outages: createOutages([], (domain) => domain, systemRandom),
    read: () => ({
      ...idle.figures.snapshot(),
      backends: [{ url: 'smtp://a', address: '10.0.0.1:25', state, sessions: 0, lastError: null, share: 1 }],
    }),
  })
  t.after(() => recorder.stop())
  const counted = async (ms: number) => {
    clock.advance(ms)
    await recorder.flush()
    return written.splice(0).flatMap(({ available }) => available.map(({ up, known }) => [up, known]))
  }
  assert.deepEqual(await counted(1_000), [])
  state = 'out'
  assert.deepEqual(await counted(1_000), [])
  state = 'down'
  assert.deepEqual(await counted(1_000), [[0, 1_000]])
  state = 'up'
  assert.deepEqual(await counted(1_000), [[1_000, 1_000]])
})
