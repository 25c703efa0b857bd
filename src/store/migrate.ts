/**
 * Brings the tables of each room to the version that this program knows: forward only, one transaction a step, so that a crash leaves a version and
 * nothing between two. A database that is ahead of us is left alone. For `database.ts`.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { StoreModule } from './module.ts'

export type Migrated =
  | { readonly kind: 'current' }
  | { readonly kind: 'newer'; readonly room: string; readonly version: number; readonly known: number }

export function migrate(db: DatabaseSync, modules: readonly StoreModule[]): Migrated {
  db.exec('CREATE TABLE IF NOT EXISTS room_version (room TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT')
  const versionOf = db.prepare('SELECT version FROM room_version WHERE room = ?')
  const setVersion = db.prepare('INSERT OR REPLACE INTO room_version (room, version) VALUES (?, ?)')
  const found = modules.map((module) => ({ module, version: Number(versionOf.get(module.room)?.version ?? 0) }))
  // All are looked at before one is changed.
  for (const { module, version } of found) {
    const known = module.migrations.length
    if (version > known) return { kind: 'newer', room: module.room, version, known }
  }
  for (const { module, version } of found) {
    for (let next = version; next < module.migrations.length; next++) {
      db.exec('BEGIN IMMEDIATE')
      try {
        db.exec(module.migrations[next] ?? '')
        setVersion.run(module.room, next + 1)
        db.exec('COMMIT')
      } catch (error) {
        if (db.isTransaction) db.exec('ROLLBACK')
        throw error
      }
    }
  }
  return { kind: 'current' }
}
