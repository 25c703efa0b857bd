/**
 * What was seen, kept over restarts: a small room in the store of the state folder, whose one owner is the running gateway; `waypost watch` alone has a
 * store of its own. Reads may be asked by everybody, writes come from `watch` and its parts. A store that fails loses no mail by this and stops
 * nothing: what cannot be written is told to the log, once, and forgotten or written later.
 */
import type { Log } from '../base/log.ts'
import { StoreFailure } from '../store/failure.ts'
import type { Store } from '../store/store.ts'
import type { OpenCondition } from './alerts/open-conditions.ts'
import type { UnsentRow } from './alerts/unsent.ts'
import type { EventFilter, EventRow, Flush, HourRow, OutageRow, WatchOperations } from './tables.ts'

/** For `openStore`. */
export const watchModule = new URL(`./tables${import.meta.url.slice(-3)}`, import.meta.url)

export type HistoryEvent = EventRow
export type KeptEvent = EventRow & { readonly id: number }

export interface Span {
  readonly fromMs: number
  readonly untilMs: number
}

export interface History {
  /** What happened, for people: gathered, and written a moment later. */
  note(event: HistoryEvent): void
  /** The newest first. @param filter.limit  1–1000 */
  events(filter: EventFilter): Promise<readonly KeptEvent[]>
  save(key: string, open: OpenCondition | undefined): void
  conditions(): Promise<readonly OpenCondition[]>
  /** Alerts that no channel is known to have heard; see `alerts/unsent.ts`. Resolves when it is written, or cannot be. */
  keepUnsent(row: UnsentRow): Promise<void>
  sent(ids: readonly string[]): Promise<void>
  unsent(): Promise<readonly UnsentRow[]>
  /** What the last check of a domain saw. @param value  JSON */
  see(domain: string, atMs: number, value: string): Promise<void>
  seen(domain: string): Promise<{ readonly atMs: number; readonly value: string } | undefined>
  /** Adds to what is there. Rejects with a `StoreFailure`. */
  flush(what: Flush): Promise<void>
  hours(domain: string, span: Span): Promise<readonly HourRow[]>
  availability(kind: 'backend' | 'exchanger', names: readonly string[], span: Span): Promise<readonly Availability[]>
  outages(kind: 'backend' | 'domain', names: readonly string[], span: Span): Promise<readonly OutageRow[]>
  openOutages(): Promise<readonly OutageRow[]>
  /** Removes what is too old, a little at a call. */
  tidy(nowMs: number): Promise<boolean>
  /** What was noted, saved and seen is written. */
  settled(): Promise<void>
}

export interface Availability {
  readonly name: string
  /** Milliseconds for backends, looks for exchangers. */
  readonly up: number
  readonly known: number
}

const dayMs = 86_400_000
/** For reports of a year. */
const hoursKeptMs = 400 * dayMs
const eventsKeptMs = 400 * dayMs
const mostGathered = 1_000

export function openHistory(store: Store, log: Log): History {
  const room = store.room<WatchOperations>('watch')
  let gathered: HistoryEvent[] = []
  let writing: Promise<void> | undefined
  let isTold = false

  /** Writes are behind what happens, and nothing waits for them. */
  async function quietly(write: () => Promise<unknown>): Promise<void> {
    try {
      await write()
      isTold = false
    } catch (error) {
      // A bug in one write is no reason to lose those behind it.
      if (!(error instanceof StoreFailure)) return log.error('history not written', { error })
      if (!isTold) log.warn('history not written', { code: error.code })
      isTold = true
    }
  }

  async function writeGathered(): Promise<void> {
    // Whatever comes in the same turn goes along.
    await Promise.resolve()
    while (gathered.length > 0) {
      const rows = gathered
      gathered = []
      await quietly(() => room.write('note', rows))
    }
    writing = undefined
  }

  let saving: Promise<void> = Promise.resolve()
  const following = new Set<Promise<void>>()

  /** `settled` waits for it. */
  async function followed(write: () => Promise<unknown>): Promise<void> {
    const written = quietly(write)
    following.add(written)
    await written
    following.delete(written)
  }

  return {
    note(event) {
      // While the store cannot be written the oldest are kept: they tell how it began.
      if (gathered.length < mostGathered) gathered.push(event)
      writing ??= writeGathered()
    },
    events: (filter) => room.read('events', filter),
    save(key, open) {
      const value = open && JSON.stringify(open)
      saving = saving.then(() => quietly(() => room.write('save', { key, value })))
    },
    async conditions() {
      return (await room.read('conditions', undefined)).map((value) => JSON.parse(value) as OpenCondition)
    },
    keepUnsent: (row) => followed(() => room.write('keepUnsent', row)),
    sent: (ids) => followed(() => room.write('sent', ids)),
    unsent: () => room.read('unsent', undefined),
    see: (domain, atMs, value) => followed(() => room.write('see', { domain, atMs, value })),
    seen: (domain) => room.read('seen', domain),
    flush: (what) => room.write('flush', what),
    hours: (domain, span) => room.read('hours', { domain, ...span }),
    availability: (kind, names, span) => room.read('availability', { kind, names, ...span }),
    outages: (kind, names, span) => room.read('outages', { kind, names, ...span }),
    openOutages: () => room.read('openOutages', undefined),
    tidy: (nowMs) => room.write('tidy', { eventsBeforeMs: nowMs - eventsKeptMs, hoursBeforeMs: nowMs - hoursKeptMs }),
    async settled() {
      await Promise.all([writing, saving, ...following])
    },
  }
}
