import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { type Log, silentLog } from '../base/log.ts'
import { openStore } from '../store/open.ts'
import type { Condition } from './condition.ts'
import { openHistory, watchModule } from './history.ts'

const hourMs = 3_600_000
const baseMs = 1_700_000_000_000 - (1_700_000_000_000 % hourMs)

async function open(t: TestContext, folder?: string, log: Log = silentLog) {
  const made = folder ?? (await mkdtemp(join(tmpdir(), 'waypost-history-')))
  if (folder === undefined) t.after(() => rm(made, { recursive: true, force: true }))
  const opened = await openStore({ folder: made, modules: [watchModule] }, { clock: systemClock })
  assert.ok(opened.kind === 'opened')
  return { folder: made, store: opened.store, history: openHistory(opened.store, log) }
}

const event = (atMs: number, domain: string | null, title: string) => ({
  ...{ atMs, kind: 'backend-down', severity: 'error', domain, title, detail: '' },
})

test('events come back newest first, of one domain or of all, page by page', async (t) => {
  const { store, history } = await open(t)
  for (let number = 0; number < 5; number++)
    history.note(event(baseMs + number, number % 2 ? 'example.com' : null, `${number}`))
  await history.settled()
  const titles = async (filter: { domain?: string; before?: number; sinceMs?: number; limit?: number }) =>
    (
      await history.events({
        domain: filter.domain,
        before: filter.before,
        sinceMs: filter.sinceMs ?? 0,
        limit: filter.limit ?? 10,
      })
    ).map(({ title }) => title)
  assert.deepEqual(await titles({}), ['4', '3', '2', '1', '0'])
  assert.deepEqual(await titles({ domain: 'example.com' }), ['3', '1'])
  assert.deepEqual(await titles({ sinceMs: baseMs + 3 }), ['4', '3'])
  const [first] = await history.events({ domain: undefined, before: undefined, sinceMs: 0, limit: 1 })
  assert.deepEqual(await titles({ before: first?.id ?? 0, limit: 2 }), ['3', '2'])
  await store.close()
})

test('figures are added up over a restart', async (t) => {
  const first = await open(t)
  const row = { atMs: baseMs, domain: 'example.com', counts: { delivered: 2, bytes: 100 }, latency: [1, 0, 1] }
  const available = [{ atMs: baseMs, kind: 'backend', name: 'smtp://a:25', up: 10, known: 20 }]
  await first.history.flush({ hours: [row], available, outages: [] })
  await first.store.close()

  const second = await open(t, first.folder)
  await second.history.flush({
    hours: [{ ...row, counts: { delivered: 1, held: 3 }, latency: [0, 2] }],
    available,
    outages: [{ id: 'x', kind: 'domain', name: 'example.com', beganMs: baseMs, endedMs: null, value: '{"held":1}' }],
  })
  const span = { fromMs: baseMs, untilMs: baseMs + hourMs }
  assert.deepEqual(await second.history.hours('example.com', span), [
    { atMs: baseMs, domain: 'example.com', counts: { delivered: 3, bytes: 100, held: 3 }, latency: [1, 2, 1] },
  ])
  assert.deepEqual(await second.history.availability('backend', ['smtp://a:25', 'smtp://b:25'], span), [
    { kind: 'backend', name: 'smtp://a:25', up: 20, known: 40 },
  ])
  assert.equal((await second.history.openOutages()).length, 1)
  assert.equal((await second.history.outages('domain', ['example.com'], span)).length, 1)
  assert.deepEqual(await second.history.hours('example.com', { fromMs: 0, untilMs: baseMs }), [])
  await second.store.close()
})

test('what is open is kept, and what is over goes', async (t) => {
  const { store, history } = await open(t)
  const condition: Condition = {
    key: 'k',
    kind: 'finding',
    severity: 'error',
    domain: 'example.com',
    title: 't',
    detail: 'd',
    remedy: 'r',
  }
  const one = { condition, sinceMs: 1, toldMs: 2, clearedMs: undefined, returns: 0 }
  history.save('k', one)
  history.save('l', { ...one, condition: { ...condition, key: 'l' } })
  history.save('k', undefined)
  await history.settled()
  const kept = await history.conditions()
  assert.deepEqual(
    kept.map(({ condition: { key }, toldMs, clearedMs }) => [key, toldMs, clearedMs]),
    [['l', 2, undefined]],
  )
  await store.close()
})

test('what is older than 400 days goes, a little at a time', async (t) => {
  const { store, history } = await open(t)
  const old = baseMs - 500 * 86_400_000
  for (let number = 0; number < 700; number++) history.note(event(old, null, `${number}`))
  history.note(event(baseMs, null, 'young'))
  const hours = Array.from({ length: 3 }, (_, number) => ({
    ...{ atMs: old + number * hourMs, domain: 'example.com', counts: { delivered: 1 }, latency: [] },
  }))
  await history.settled()
  await history.flush({ hours, available: [], outages: [] })
  assert.equal(await history.tidy(baseMs), true)
  assert.equal(await history.tidy(baseMs), false)
  const left = await history.events({ domain: undefined, before: undefined, sinceMs: 0, limit: 1000 })
  assert.deepEqual(
    left.map(({ title }) => title),
    ['young'],
  )
  assert.deepEqual(await history.hours('example.com', { fromMs: 0, untilMs: baseMs }), [])
  await store.close()
})

test('a store that is closed stops nobody', async (t) => {
  const { store, history } = await open(t)
  await store.close()
  history.note(event(baseMs, null, 'late'))
  history.save('k', undefined)
  await history.settled()
  await assert.rejects(history.flush({ hours: [], available: [], outages: [] }))
})

test('a write that cannot even be asked for is told to the log, and what comes behind it is written', async (t) => {
  const told: string[] = []
  const { store, history } = await open(t, undefined, { ...silentLog, error: (what) => void told.push(what) })
  // No thread takes a function.
  const wrong = { ...event(baseMs, null, 'wrong'), detail: (() => '') as never }
  history.note(wrong)
  history.save((() => '') as never, undefined)
  await history.settled()
  assert.deepEqual(told, ['history not written', 'history not written'])
  history.note(event(baseMs, null, 'right'))
  history.save('k', { condition: { key: 'k' } as Condition, sinceMs: 1, toldMs: 2, clearedMs: undefined, returns: 0 })
  await history.settled()
  const events = await history.events({ domain: undefined, before: undefined, sinceMs: 0, limit: 10 })
  assert.deepEqual(
    events.map(({ title }) => title),
    ['right'],
  )
  assert.equal((await history.conditions()).length, 1)
  await store.close()
})
