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

export type KnownRow = readonly [
  key: Uint8Array,
  domain: Uint8Array,
  isGood: 0 | 1,
  toldMs: number,
  code: number | null,
  text: string | null,
]

export interface KnownLimits {
  readonly mostOfDomain: number
  readonly mostGood: number
  readonly mostBad: number
}

export interface Learnt {
  readonly rows: readonly KnownRow[]
  readonly limits: KnownLimits
  /** What was told before this is of no use any more. */
  readonly goodSinceMs: number
  readonly badSinceMs: number
}

/** A call removes so many at most of what is too old, so that nobody waits for long behind it. */
const mostExpired = 500

function learn(db: Database, { rows, limits, goodSinceMs, badSinceMs }: Learnt): void {
  const counts = countsOf(db)
  const domains = new Map<string, { domain: Uint8Array; isGood: 0 | 1 }>()
  for (const row of rows) {
    const [key, domain, isGood] = row
    const isThere = db.sql('SELECT 1 FROM known WHERE key = ?').get(key) !== undefined
    db.sql('INSERT OR REPLACE INTO known (key, domain, is_good, told, code, text) VALUES (?, ?, ?, ?, ?, ?)').run(
      ...row,
    )
    if (isThere) continue
    counts[isGood]++
    domains.set(`${isGood}${Buffer.from(domain).toString('latin1')}`, { domain, isGood })
  }
  for (const { domain, isGood } of domains.values())
    counts[isGood] -= trimDomain(db, domain, isGood, limits.mostOfDomain)
  for (const isGood of [0, 1] as const) {
    const sinceMs = isGood ? goodSinceMs : badSinceMs
    const expired = db
      .sql(
        'DELETE FROM known WHERE key IN (SELECT key FROM known INDEXED BY known_by_time WHERE is_good = ? AND told < ? ORDER BY told LIMIT ?)',
      )
      .run(isGood, sinceMs, mostExpired)
    counts[isGood] -= Number(expired.changes)
    const excess = counts[isGood] - (isGood ? limits.mostGood : limits.mostBad)
    if (excess > 0) counts[isGood] -= trimOldest(db, isGood, excess)
  }
}

/** Counted once, then kept up to date: a million take a moment. */
function countsOf(db: Database): Record<0 | 1, number> {
  let counts = db.memory.get('known') as Record<0 | 1, number> | undefined
  if (!counts) {
    const count = db.sql('SELECT count(*) AS held FROM known WHERE is_good = ?')
    counts = { 0: Number(count.get(0)?.held), 1: Number(count.get(1)?.held) }
    db.memory.set('known', counts)
  }
  return counts
}

function trimDomain(db: Database, domain: Uint8Array, isGood: 0 | 1, most: number): number {
  const held = Number(
    db.sql('SELECT count(*) AS held FROM known WHERE is_good = ? AND domain = ?').get(isGood, domain)?.held,
  )
  if (held <= most) return 0
  const trimmed = db
    .sql(
      'DELETE FROM known WHERE key IN (SELECT key FROM known WHERE is_good = ? AND domain = ? ORDER BY told LIMIT ?)',
    )
    .run(isGood, domain, held - most)
  return Number(trimmed.changes)
}

function trimOldest(db: Database, isGood: 0 | 1, excess: number): number {
  const trimmed = db
    .sql('DELETE FROM known WHERE key IN (SELECT key FROM known WHERE is_good = ? ORDER BY told LIMIT ?)')
    .run(isGood, excess)
  return Number(trimmed.changes)
}

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
export const storeModule: StoreModule = { room: 'known', migrations: [version1], operations }
