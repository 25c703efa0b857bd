/**
 * Every version of the tables of what was seen that there ever was, as the program of its time wrote them (`test/fixtures/store/watch-VERSION.sql`):
 * the program of today reads them and goes on with them. Whoever adds a migration adds what the version before wrote.
 */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { silentLog } from '../base/log.ts'
import { openStore } from '../store/open.ts'
import { openHistory, watchModule } from './history.ts'
import { storeModule } from './tables.ts'

const baseMs = 1_699_999_200_000
const span = { fromMs: baseMs, untilMs: baseMs + 1 }

for (const [index] of storeModule.migrations.entries())
  test(`what version ${index + 1} saw is there, whole, and goes on`, async (t) => {
    const written = new URL(`../../test/fixtures/store/watch-${index + 1}.sql`, import.meta.url)
    const folder = await mkdtemp(join(tmpdir(), 'waypost-earlier-'))
    const database = new DatabaseSync(join(folder, 'store.db'))
    database.exec(await readFile(written, 'utf8'))
    database.close()
    const opened = await openStore({ folder, modules: [watchModule] }, { clock: systemClock })
    if (opened.kind !== 'opened') throw new Error(JSON.stringify(opened))
    t.after(async () => {
      await opened.store.close()
      await rm(folder, { recursive: true, force: true })
    })
    const history = openHistory(opened.store, silentLog)

    const all = { domain: undefined, before: undefined, sinceMs: 0, limit: 10 }
    const events = await history.events(all)
    assert.deepEqual(
      events.map(({ atMs, domain, title, detail }) => [atMs - baseMs, domain, title, detail]),
      [
        [1, 'example.com', 'one exchanger', ''],
        [0, null, 'smtp://a:25 is down', 'connection refused'],
      ],
    )
    const [open] = await history.conditions()
    assert.deepEqual(
      [open?.condition.title, open?.condition.remedy, open?.sinceMs, open?.toldMs, open?.returns],
      ['SPF is wrong', 'Keep one.', baseMs, baseMs + 2, 1],
    )
    assert.equal((await history.seen('example.com'))?.value, '{"findings":[]}')
    const counts = { delivered: 3, bytes: 100, held: 3 }
    const hour = { atMs: baseMs, domain: 'example.com', counts, latency: [1, 2, 1] }
    assert.deepEqual(await history.hours('example.com', span), [hour])
    const availability = await history.availability('exchanger', ['mx.example.com'], span)
    assert.deepEqual(
      availability.map(({ name, up, known }) => [name, up, known]),
      [['mx.example.com', 1, 2]],
    )
    assert.deepEqual(
      (await history.openOutages()).map(({ id }) => id),
      ['x'],
    )
    assert.equal((await history.outages('backend', ['smtp://a:25'], span))[0]?.endedMs, baseMs + 3_600_000)

    const unsent = index === 0 ? [] : [['abc', 'a channel', baseMs + 2]]
    assert.deepEqual(
      (await history.unsent()).map(({ id, channel, value }) => [id, channel, JSON.parse(value).atMs]),
      unsent,
    )
    await history.keepUnsent({ id: 'def', channel: 'another', value: '{}' })
    await history.sent(['abc'])
    assert.deepEqual(
      (await history.unsent()).map(({ id }) => id),
      ['def'],
    )

    await history.flush({ hours: [{ ...hour, counts: { held: 1 }, latency: [] }], available: [], outages: [] })
    assert.deepEqual((await history.hours('example.com', span))[0]?.counts, { ...counts, held: 4 })
  })
