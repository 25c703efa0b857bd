/**
 * The tables of what was seen and done, and the operations on them that run in the store's threads: what happened (`event`), what is wrong now
 * (`condition`), what nobody has heard of it (`unsent`), what the last check of each domain saw (`seen`), counts by hour and domain (`hour`), availability by hour (`available`), and outages.
 * `history.ts` names this module to `openStore`.
 */
import type { Database, StoreModule } from '../store/module.ts'
import type { UnsentRow } from './alerts/unsent.ts'

const version1 = `
CREATE TABLE event (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  severity TEXT NOT NULL,
  domain TEXT,
  title TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
CREATE INDEX event_of_domain ON event (domain, id) WHERE domain IS NOT NULL;
CREATE INDEX event_by_time ON event (at);

CREATE TABLE condition (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE seen (domain TEXT PRIMARY KEY, at INTEGER NOT NULL, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE hour (
  at INTEGER NOT NULL,
  domain TEXT NOT NULL,
  counts TEXT NOT NULL,    -- JSON: numbers by name
  latency TEXT NOT NULL,   -- JSON: counts by fine bucket
  PRIMARY KEY (domain, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX hour_by_time ON hour (at);

CREATE TABLE available (
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,      -- backend or exchanger
  name TEXT NOT NULL,
  up INTEGER NOT NULL,     -- milliseconds for backends, looks for exchangers
  known INTEGER NOT NULL,
  PRIMARY KEY (kind, name, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX available_by_time ON available (at);

CREATE TABLE outage (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,      -- backend or domain
  name TEXT NOT NULL,
  began INTEGER NOT NULL,
  ended INTEGER,
  value TEXT NOT NULL      -- JSON
) STRICT, WITHOUT ROWID;
CREATE INDEX outage_of ON outage (kind, name, began);
`

const version2 = `
CREATE TABLE unsent (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  channel TEXT NOT NULL,
  value TEXT NOT NULL      -- JSON: an alert that the channel is not known to have heard
) STRICT;
`

export interface EventRow {
  readonly atMs: number
  readonly kind: string
  readonly severity: string
  readonly domain: string | null
  readonly title: string
  readonly detail: string
}

export interface HourRow {
  readonly atMs: number
  readonly domain: string
  readonly counts: Readonly<Record<string, number>>
  readonly latency: readonly number[]
}

export interface AvailableRow {
  readonly atMs: number
  readonly kind: string
  readonly name: string
  readonly up: number
  readonly known: number
}

export interface OutageRow {
  readonly id: string
  readonly kind: string
  readonly name: string
  readonly beganMs: number
  readonly endedMs: number | null
  /** JSON. */
  readonly value: string
}

export interface Flush {
  readonly hours: readonly HourRow[]
  readonly available: readonly AvailableRow[]
  readonly outages: readonly OutageRow[]
}

/** Rows that one round of tidying removes of each table: every message that waits to be held waits for it. */
const mostTidied = 500

/** Counts are added to what is there, so that a flush that is made twice in an hour loses nothing. */
function flush(db: Database, { hours, available, outages }: Flush): void {
  for (const row of hours) addHour(db, row)
  for (const { atMs, kind, name, up, known } of available) {
    db.sql(
      `INSERT INTO available (at, kind, name, up, known) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (kind, name, at) DO UPDATE SET up = up + excluded.up, known = known + excluded.known`,
    ).run(atMs, kind, name, up, known)
  }
  for (const { id, kind, name, beganMs, endedMs, value } of outages)
    db.sql('INSERT OR REPLACE INTO outage (id, kind, name, began, ended, value) VALUES (?, ?, ?, ?, ?, ?)').run(
      ...[id, kind, name, beganMs, endedMs, value],
    )
}

function addHour(db: Database, { atMs, domain, counts, latency }: HourRow): void {
  const found = db.sql('SELECT counts, latency FROM hour WHERE domain = ? AND at = ?').get(domain, atMs)
  const sums = found ? (JSON.parse(String(found.counts)) as Record<string, number>) : {}
  const buckets = found ? (JSON.parse(String(found.latency)) as number[]) : []
  for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count
  for (const [bucket, count] of latency.entries()) {
    while (buckets.length <= bucket) buckets.push(0)
    buckets[bucket] = (buckets[bucket] ?? 0) + count
  }
  db.sql('INSERT OR REPLACE INTO hour (at, domain, counts, latency) VALUES (?, ?, ?, ?)').run(
    ...[atMs, domain, JSON.stringify(sums), JSON.stringify(buckets)],
  )
}

function note(db: Database, rows: readonly EventRow[]): void {
  for (const { atMs, kind, severity, domain, title, detail } of rows)
    db.sql('INSERT INTO event (at, kind, severity, domain, title, detail) VALUES (?, ?, ?, ?, ?, ?)').run(
      ...[atMs, kind, severity, domain, title, detail],
    )
}

function save(db: Database, { key, value }: { readonly key: string; readonly value: string | undefined }): void {
  if (value === undefined) db.sql('DELETE FROM condition WHERE key = ?').run(key)
  else db.sql('INSERT OR REPLACE INTO condition (key, value) VALUES (?, ?)').run(key, value)
}

interface SeenRow {
  readonly domain: string
  readonly atMs: number
  readonly value: string
}

function see(db: Database, { domain, atMs, value }: SeenRow): void {
  db.sql('INSERT OR REPLACE INTO seen (domain, at, value) VALUES (?, ?, ?)').run(domain, atMs, value)
}

/** @returns whether there is more to remove */
function tidy(
  db: Database,
  { eventsBeforeMs, hoursBeforeMs }: { readonly eventsBeforeMs: number; readonly hoursBeforeMs: number },
): boolean {
  const removed = [
    db.sql('DELETE FROM event WHERE id IN (SELECT id FROM event WHERE at < ? LIMIT ?)').run(eventsBeforeMs, mostTidied),
    db
      .sql('DELETE FROM hour WHERE (domain, at) IN (SELECT domain, at FROM hour WHERE at < ? LIMIT ?)')
      .run(hoursBeforeMs, mostTidied),
    db
      .sql(
        'DELETE FROM available WHERE (kind, name, at) IN (SELECT kind, name, at FROM available WHERE at < ? LIMIT ?)',
      )
      .run(hoursBeforeMs, mostTidied),
    db
      .sql('DELETE FROM seen WHERE domain IN (SELECT domain FROM seen WHERE at < ? LIMIT ?)')
      .run(hoursBeforeMs, mostTidied),
    db
      .sql('DELETE FROM outage WHERE id IN (SELECT id FROM outage WHERE ended < ? LIMIT ?)')
      .run(hoursBeforeMs, mostTidied),
  ]
  return removed.some(({ changes }) => Number(changes) === mostTidied)
}

export interface EventFilter {
  readonly domain: string | undefined
  readonly sinceMs: number
  /** Below this id; undefined: from the newest. */
  readonly before: number | undefined
  readonly limit: number
}

function events(db: Database, { domain, sinceMs, before, limit }: EventFilter): (EventRow & { readonly id: number })[] {
  const below = before ?? Number.MAX_SAFE_INTEGER
  const rows =
    domain === undefined
      ? db.sql('SELECT * FROM event WHERE id < ? AND at >= ? ORDER BY id DESC LIMIT ?').all(below, sinceMs, limit)
      : db
          .sql('SELECT * FROM event WHERE domain = ? AND id < ? AND at >= ? ORDER BY id DESC LIMIT ?')
          .all(domain, below, sinceMs, limit)
  return rows.map(({ id, at, kind, severity, domain: of, title, detail }) => ({
    ...{ id: Number(id), atMs: Number(at), kind: String(kind), severity: String(severity) },
    ...{ domain: of === null ? null : String(of), title: String(title), detail: String(detail) },
  }))
}

function conditions(db: Database): string[] {
  return db
    .sql('SELECT value FROM condition')
    .all()
    .map(({ value }) => String(value))
}

function seen(db: Database, domain: string): SeenRow | undefined {
  const row = db.sql('SELECT at, value FROM seen WHERE domain = ?').get(domain)
  return row && { domain, atMs: Number(row.at), value: String(row.value) }
}

interface Span {
  readonly fromMs: number
  readonly untilMs: number
}

function hours(db: Database, { domain, fromMs, untilMs }: Span & { readonly domain: string }): HourRow[] {
  return db
    .sql('SELECT at, counts, latency FROM hour WHERE domain = ? AND at >= ? AND at < ? ORDER BY at')
    .all(domain, fromMs, untilMs)
    .map(({ at, counts, latency }) => ({
      ...{ atMs: Number(at), domain },
      ...{ counts: JSON.parse(String(counts)), latency: JSON.parse(String(latency)) },
    }))
}

interface Named extends Span {
  readonly kind: string
  readonly names: readonly string[]
}

/** Sums of each name, for those that are known. */
function availability(db: Database, { kind, names, fromMs, untilMs }: Named): Omit<AvailableRow, 'atMs'>[] {
  const sum = db.sql(
    'SELECT sum(up) AS up, sum(known) AS known FROM available WHERE kind = ? AND name = ? AND at >= ? AND at < ?',
  )
  return names.flatMap((name) => {
    const row = sum.get(kind, name, fromMs, untilMs)
    return row && row.known !== null ? [{ kind, name, up: Number(row.up), known: Number(row.known) }] : []
  })
}

/** Those that overlap the span, oldest first; at most 1,000 a name. */
function outages(db: Database, { kind, names, fromMs, untilMs }: Named): OutageRow[] {
  const find = db.sql(
    'SELECT * FROM outage WHERE kind = ? AND name = ? AND began < ? AND (ended IS NULL OR ended >= ?) ORDER BY began LIMIT 1000',
  )
  return names.flatMap((name) => find.all(kind, name, untilMs, fromMs).map(outageRow))
}

function openOutages(db: Database): OutageRow[] {
  return db.sql('SELECT * FROM outage WHERE ended IS NULL').all().map(outageRow)
}

const outageRow = ({ id, kind, name, began, ended, value }: Record<string, unknown>): OutageRow => ({
  ...{ id: String(id), kind: String(kind), name: String(name), beganMs: Number(began) },
  ...{ endedMs: ended === null ? null : Number(ended), value: String(value) },
})

function keepUnsent(db: Database, { id, channel, value }: UnsentRow): void {
  db.sql('INSERT INTO unsent (id, channel, value) VALUES (?, ?, ?)').run(id, channel, value)
}

function sent(db: Database, ids: readonly string[]): void {
  for (const id of ids) db.sql('DELETE FROM unsent WHERE id = ?').run(id)
}

function unsent(db: Database): UnsentRow[] {
  return db
    .sql('SELECT id, channel, value FROM unsent ORDER BY number')
    .all()
    .map(({ id, channel, value }) => ({ id: String(id), channel: String(channel), value: String(value) }))
}

const operations = {
  flush,
  note,
  save,
  see,
  tidy,
  events,
  conditions,
  seen,
  hours,
  availability,
  outages,
  openOutages,
  keepUnsent,
  sent,
  unsent,
} as const
export type WatchOperations = typeof operations

export const storeModule: StoreModule = { room: 'watch', migrations: [version1, version2], operations }
