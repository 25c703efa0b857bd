/**
 * What is known of recipients, as rows: keyed hashes, so that a copy of the disk names nobody. `known.ts` beside names this module to `openStore` and
 * makes the keys. The limits of numbers are kept here, oldest out first.
 */
import type { Database, StoreModule } from '../../store/module.ts'

const version1 = `
CREATE TABLE known (
  key BLOB PRIMARY KEY,
  domain BLOB NOT NULL,
  is_good INTEGER NOT NULL,
  told INTEGER NOT NULL,     -- the last time, wall clock
  code INTEGER,              -- of a refusal, with its text
  text TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX known_by_domain ON known (is_good, domain, told);
CREATE INDEX known_by_time ON known (is_good, told);
`

// What was good is taken for delivered to: which it was, nobody wrote down.
const version2 = `
ALTER TABLE known RENAME COLUMN is_good TO kind;
`

/** What `kind` holds. Each has its own place: none pushes out another. */
export const kinds = { refused: 0, delivered: 1, accepted: 2 } as const
export type KnownKind = (typeof kinds)[keyof typeof kinds]
const allKinds = Object.values(kinds)

export type KnownRow = readonly [
  key: Uint8Array,
  domain: Uint8Array,
  kind: KnownKind,
  toldMs: number,
  code: number | null,
  text: string | null,
]

/** The most recipients of each kind. */
export type KnownLimits = Readonly<Record<KnownKind, { readonly ofDomain: number; readonly inAll: number }>>

export interface Learnt {
  readonly rows: readonly KnownRow[]
  readonly limits: KnownLimits
  /** What was told before this is of no use any more. */
  readonly goodSinceMs: number
  readonly badSinceMs: number
}

/** A call removes so many at most of what is too old, so that nobody waits for long behind it. */
const mostExpired = 500

/** @returns the keys of what had to make room */
function learn(db: Database, { rows, limits, goodSinceMs, badSinceMs }: Learnt): readonly Uint8Array[] {
  const counts = countsOf(db)
  const domains = new Map<string, { domain: Uint8Array; kind: KnownKind }>()
  const trimmed: Uint8Array[] = []
  const noteTrimmed = (kind: KnownKind, keys: readonly Uint8Array[]) => {
    counts[kind] -= keys.length
    trimmed.push(...keys)
  }
  for (const row of rows) {
    const [key, domain, kind, toldMs] = row
    const before = db.sql('SELECT kind FROM known WHERE key = ?').get(key)?.kind as KnownKind | undefined
    if (before === kinds.delivered && kind === kinds.accepted) {
      // That it was asked for once more makes it no less.
      db.sql('UPDATE known SET told = ? WHERE key = ?').run(toldMs, key)
      continue
    }
    db.sql('INSERT OR REPLACE INTO known (key, domain, kind, told, code, text) VALUES (?, ?, ?, ?, ?, ?)').run(...row)
    if (before === kind) continue
    if (before !== undefined) counts[before]--
    counts[kind]++
    domains.set(`${kind}${Buffer.from(domain).toString('latin1')}`, { domain, kind })
  }
  for (const { domain, kind } of domains.values())
    noteTrimmed(kind, trimDomain(db, domain, kind, limits[kind].ofDomain))
  for (const kind of allKinds) {
    const sinceMs = kind === kinds.refused ? badSinceMs : goodSinceMs
    const expired = db
      .sql(
        'DELETE FROM known WHERE key IN (SELECT key FROM known INDEXED BY known_by_time WHERE kind = ? AND told < ? ORDER BY told LIMIT ?)',
      )
      .run(kind, sinceMs, mostExpired)
    counts[kind] -= Number(expired.changes)
    const excess = counts[kind] - limits[kind].inAll
    if (excess > 0) noteTrimmed(kind, trimOldest(db, kind, excess))
  }
  return trimmed
}

/** Counted once, then kept up to date: a million take a moment. */
function countsOf(db: Database): Record<KnownKind, number> {
  let counts = db.memory.get('known') as Record<KnownKind, number> | undefined
  if (!counts) {
    const count = db.sql('SELECT count(*) AS held FROM known WHERE kind = ?')
    const [refused, delivered, accepted] = allKinds.map((kind) => Number(count.get(kind)?.held))
    counts = { 0: refused ?? 0, 1: delivered ?? 0, 2: accepted ?? 0 }
    db.memory.set('known', counts)
  }
  return counts
}

function trimDomain(db: Database, domain: Uint8Array, kind: KnownKind, most: number): readonly Uint8Array[] {
  const held = Number(
    db.sql('SELECT count(*) AS held FROM known WHERE kind = ? AND domain = ?').get(kind, domain)?.held,
  )
  if (held <= most) return []
  return keysOf(
    db
      .sql(
        'DELETE FROM known WHERE key IN (SELECT key FROM known WHERE kind = ? AND domain = ? ORDER BY told LIMIT ?) RETURNING key',
      )
      .all(kind, domain, held - most),
  )
}

const trimOldest = (db: Database, kind: KnownKind, excess: number): readonly Uint8Array[] =>
  keysOf(
    db
      .sql('DELETE FROM known WHERE key IN (SELECT key FROM known WHERE kind = ? ORDER BY told LIMIT ?) RETURNING key')
      .all(kind, excess),
  )

const keysOf = (rows: readonly Record<string, unknown>[]) => rows.map(({ key }) => key as Uint8Array)

export interface FoundKnown {
  readonly toldMs: number
  readonly code: number | null
  readonly text: string | null
}

function find(db: Database, key: Uint8Array): FoundKnown | undefined {
  const row = db.sql('SELECT told, code, text FROM known WHERE key = ?').get(key)
  return row && { toldMs: Number(row.told), code: row.code as number | null, text: row.text as string | null }
}

const operations = { learn, find } as const
export type KnownOperations = typeof operations
export const storeModule: StoreModule = { room: 'known', migrations: [version1, version2], operations }
