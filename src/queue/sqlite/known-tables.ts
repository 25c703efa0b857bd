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

/** What is told of a recipient, as `kind` holds it. Each has its own place: none pushes out another. */
export const kinds = { refused: 0, delivered: 1, accepted: 2 } as const
export type KnownKind = (typeof kinds)[keyof typeof kinds]

/**
 * Delivered to on two occasions: whoever sends to a thousand made-up recipients at once makes none of these. They share the place of those that were
 * delivered to once.
 */
const regular = 3
type RowKind = KnownKind | typeof regular
const allKinds: readonly RowKind[] = [...Object.values(kinds), regular]

/** From one delivery to the next, so that they are two occasions; until then a telling is fresh, and not told again (`told-lately`). */
export const apartMs = 86_400_000 / 4

/** The part of their place that those keep who were delivered to once: nobody is regular at first. */
const onceShare = 1 / 5

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
  const trim = (kind: RowKind, excess: number, domain?: Uint8Array) => {
    if (excess <= 0) return
    const keys = trimOldest(db, kind, excess, domain)
    counts[kind] -= keys.length
    trimmed.push(...keys)
  }
  for (const row of rows) {
    const [key, domain, told, toldMs, code, text] = row
    const before = db.sql('SELECT kind, told FROM known WHERE key = ?').get(key)
    const kindBefore = before?.kind as RowKind | undefined
    const agoMs = toldMs - Number(before?.told)
    // A stranger can bring that about each day, so that no delivery would ever look like another occasion.
    if (told === kinds.accepted && isDelivered(kindBefore) && Number(before?.told) > goodSinceMs) continue
    const kind = kindAfter(told, kindBefore, agoMs)
    // One occasion, which began when it was told first.
    if (kind === kinds.delivered && kindBefore === kind && agoMs >= 0 && agoMs < apartMs) continue
    db.sql('INSERT OR REPLACE INTO known (key, domain, kind, told, code, text) VALUES (?, ?, ?, ?, ?, ?)').run(
      ...[key, domain, kind, toldMs, code, text],
    )
    if (kindBefore === kind) continue
    if (kindBefore !== undefined) counts[kindBefore]--
    counts[kind]++
    // Those that become regular are there already.
    if (kind !== regular) domains.set(`${kind}${Buffer.from(domain).toString('latin1')}`, { domain, kind })
  }
  for (const { domain, kind } of domains.values())
    for (const [of, excess] of excesses(kind, (of) => countOf(db, of, domain), limits[kind].ofDomain))
      trim(of, excess, domain)
  for (const kind of allKinds) {
    const sinceMs = kind === kinds.refused ? badSinceMs : goodSinceMs
    const expired = db
      .sql(
        'DELETE FROM known WHERE key IN (SELECT key FROM known INDEXED BY known_by_time WHERE kind = ? AND told < ? ORDER BY told LIMIT ?)',
      )
      .run(kind, sinceMs, mostExpired)
    counts[kind] -= Number(expired.changes)
  }
  for (const kind of Object.values(kinds))
    for (const [of, excess] of excesses(kind, (of) => counts[of], limits[kind].inAll)) trim(of, excess)
  return trimmed
}

const isDelivered = (kind: RowKind | undefined) => kind === kinds.delivered || kind === regular

/** @param agoMs  since it was told before */
function kindAfter(told: KnownKind, before: RowKind | undefined, agoMs: number): RowKind {
  if (told !== kinds.delivered) return told
  return before === regular || (before === kinds.delivered && agoMs >= apartMs) ? regular : told
}

/** How many have to make room in the place of a kind, by what they are. */
function excesses(kind: KnownKind, held: (of: RowKind) => number, most: number): readonly [RowKind, number][] {
  const own = held(kind)
  if (kind !== kinds.delivered) return [[kind, own - most]]
  const excess = own + held(regular) - most
  const ofOnce = Math.min(excess, own - Math.ceil(most * onceShare))
  return [
    [kind, ofOnce],
    [regular, excess - Math.max(0, ofOnce)],
  ]
}

/** Counted once, then kept up to date: a million take a moment. */
function countsOf(db: Database): Record<RowKind, number> {
  let counts = db.memory.get('known') as Record<RowKind, number> | undefined
  if (!counts) {
    counts = { 0: countOf(db, 0), 1: countOf(db, 1), 2: countOf(db, 2), 3: countOf(db, 3) }
    db.memory.set('known', counts)
  }
  return counts
}

const countOf = (db: Database, kind: RowKind, domain?: Uint8Array): number =>
  Number(
    (domain === undefined
      ? db.sql('SELECT count(*) AS held FROM known WHERE kind = ?').get(kind)
      : db.sql('SELECT count(*) AS held FROM known WHERE kind = ? AND domain = ?').get(kind, domain)
    )?.held,
  )

/** @returns the keys of those that were told longest ago, which are gone */
function trimOldest(db: Database, kind: RowKind, excess: number, domain?: Uint8Array): readonly Uint8Array[] {
  const rows =
    domain === undefined
      ? db
          .sql(
            'DELETE FROM known WHERE key IN (SELECT key FROM known WHERE kind = ? ORDER BY told LIMIT ?) RETURNING key',
          )
          .all(kind, excess)
      : db
          .sql(
            'DELETE FROM known WHERE key IN (SELECT key FROM known WHERE kind = ? AND domain = ? ORDER BY told LIMIT ?) RETURNING key',
          )
          .all(kind, domain, excess)
  return rows.map(({ key }) => key as Uint8Array)
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
export const storeModule: StoreModule = { room: 'known', migrations: [version1, version2], operations }
