/** Tables of a room that exists for tests of the store: notes by name, and operations that go wrong on request. */
import type { Database, StoreModule } from '../../src/store/module.ts'

export const migrations = [
  'CREATE TABLE note (name TEXT PRIMARY KEY, content BLOB) STRICT',
  'ALTER TABLE note ADD COLUMN color TEXT',
  "UPDATE note SET color = 'grey' WHERE color IS NULL; CREATE INDEX note_color ON note (color)",
]

const operations = {
  put(db: Database, name: string, payload: Uint8Array): number {
    db.sql('INSERT INTO note (name, content) VALUES (?, ?)').run(name, payload)
    return payload.length
  },
  remove(db: Database, name: string): void {
    db.sql('DELETE FROM note WHERE name = ?').run(name)
  },
  putAndBreak(db: Database, name: string): void {
    db.sql('INSERT INTO note (name) VALUES (?)').run(name)
    throw new TypeError('broken on purpose')
  },
  names(db: Database): string[] {
    return db
      .sql('SELECT name FROM note ORDER BY name')
      .all()
      .map(({ name }) => String(name))
  },
  content(db: Database, name: string): Uint8Array | undefined {
    return db.sql('SELECT content FROM note WHERE name = ?').get(name)?.content as Uint8Array | undefined
  },
  colors(db: Database): unknown[] {
    return db
      .sql('SELECT color FROM note ORDER BY name')
      .all()
      .map(({ color }) => color)
  },
  pragma(db: Database, name: 'journal_mode' | 'synchronous' | 'auto_vacuum' | 'journal_size_limit'): unknown {
    return Object.values(db.sql(`PRAGMA ${name}`).get() ?? {})[0]
  },
} as const

export type NoteOperations = typeof operations

export const storeModule: StoreModule = { room: 'notes', migrations, operations }
