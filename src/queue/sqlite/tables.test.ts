import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { heldId, heldMessage } from '../../../test/unit/held-message.ts'
import { migrate } from '../../store/migrate.ts'
import type { Database, StoreModule } from '../../store/module.ts'
import { attemptsOf } from './attempt-rows.ts'
import { bodyOf } from './body-rows.ts'
import { filesAfter, heldOf } from './file-rows.ts'
import { forget, hold } from './hold-rows.ts'
import { storeModule as known } from './known-tables.ts'
import { lanesOf, moveLanes, recover } from './lane-rows.ts'
import { idsWith } from './list-rows.ts'
import { newRow, settlementRow } from './message-codec.ts'
import { readyTasks, unknownTasks } from './next-rows.ts'
import { countOverdue, dropKept, overdue } from './overdue-rows.ts'
import { settle, spoil } from './settle-rows.ts'
import { storeModule as queue } from './tables.ts'
import { nextWakes, wake } from './wake-rows.ts'

/** Tables and indexes as they are, in words that do not depend on how they came about. */
function tablesOf(db: DatabaseSync): unknown {
  const names = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all()
  return names.map(({ name }) => [
    name,
    db
      .prepare('SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(?) ORDER BY name')
      .all(String(name)),
    db.prepare('SELECT name, "unique", partial FROM pragma_index_list(?) ORDER BY name').all(String(name)),
  ])
}

for (const module of [queue, known]) {
  for (const version of module.migrations.keys()) {
    test(`${module.room}: a database of version ${version} becomes what a new one is`, () => {
      const [fresh, old] = [new DatabaseSync(':memory:'), new DatabaseSync(':memory:')]
      const earlier: StoreModule = { ...module, migrations: module.migrations.slice(0, version) }
      assert.deepEqual(migrate(old, [earlier]), { kind: 'current' })
      assert.deepEqual(migrate(old, [module]), { kind: 'current' })
      assert.deepEqual(migrate(fresh, [module]), { kind: 'current' })
      assert.deepEqual(tablesOf(old), tablesOf(fresh))
      assert.equal(old.prepare('SELECT version FROM room_version').get()?.version, module.migrations.length)
      old.close()
      fresh.close()
    })
  }
}

/** The operations' own statements, gathered by running each on a hold with one message. */
function statementsOf(run: (db: Database) => void): { handle: DatabaseSync; texts: Set<string> } {
  const handle = new DatabaseSync(':memory:')
  migrate(handle, [queue])
  const texts = new Set<string>()
  run({
    sql(text) {
      texts.add(text)
      return handle.prepare(text)
    },
    memory: new Map(),
    give() {},
  })
  return { handle, texts }
}

test('nothing that runs while a million messages are held walks over all of them', () => {
  const { handle, texts } = statementsOf((db) => {
    const message = heldMessage({ id: heldId(1), to: { 'a@example.test': {}, 'b@example.test': {} } })
    const body = { kind: 'blocks', blocks: [], size: 0 } as const
    hold(db, newRow(message, body, 1), message.trace)
    const wanted = { lane: 'main', limit: 10, without: [], nowMs: 1, mostOctets: 1024 }
    readyTasks(db, wanted)
    unknownTasks(db, wanted)
    wake(db, { nowMs: 1, farMs: 1 })
    overdue(db, { nowMs: 1, limit: 10 })
    countOverdue(db, 1)
    idsWith(db, { prefix: '0', limit: 5 })
    nextWakes(db)
    recover(db)
    filesAfter(db, 0)
    heldOf(db, [heldId(1)])
    lanesOf(db, [0, -1])
    moveLanes(db, [[1, 0, 'other']])
    bodyOf(db, heldId(1))
    attemptsOf(db, heldId(1))
    const settled = settlementRow(
      {
        id: heldId(1),
        recipients: [
          { index: 0, to: { kind: 'refused', keepUntilMs: 5 } },
          { index: 1, to: { kind: 'gone' } },
        ],
      },
      undefined,
    )
    settle(db, settled, new Uint8Array())
    spoil(db, heldId(1))
    dropKept(db, 1)
    forget(db, heldId(1))
  })
  assert.ok(texts.size > 25)
  for (const text of texts) {
    const steps = handle.prepare(`EXPLAIN QUERY PLAN ${text}`).all()
    // A page in the order of an index is no walk; what bounds it is its LIMIT. Nor is a list that we name ourselves.
    const walks = steps.filter(
      ({ detail }) =>
        /^SCAN (?!json_each)/.test(String(detail)) && !(/USING/.test(String(detail)) && /LIMIT/.test(text)),
    )
    const isMinimum = /^SELECT min\(not_before\)/.test(text)
    assert.deepEqual(isMinimum ? [] : walks, [], text)
    assert.ok(!steps.some(({ detail }) => /TEMP B-TREE/.test(String(detail))), `sorts: ${text}`)
    // Compared with what partial indexes compare it with, a bound value has SQLite prepare the statement anew each time.
    assert.doesNotMatch(text, /WHERE.*\bstate = \?/s, 'a state that is bound')
  }
  handle.close()
})
