/**
 * The hold on the embedded store: fulfils the contract of `queue.ts` with the tables of `tables.ts`. `cli` opens the store with `queueModule`, then
 * this. What each step does stands in the files beside it: `message-codec` (values ↔ rows), `new-row` (a message on its way in), `body-files` (large bodies),
 * `read-ahead`, `admission` (quotas), `kept-quota` (what is kept for a person), `kept-counts` (in step with the rows), `sweep` (rows and files that do not fit).
 */
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { Body } from '../../mail/message.ts'
import { StoreFailure } from '../../store/failure.ts'
import type { Store } from '../../store/store.ts'
import { createFairTurns } from '../fair-turn.ts'
import type {
  HeldEntry,
  HoldOutcome,
  Lane,
  NewHeld,
  OpenedBody,
  Queue,
  QueueFilter,
  QueuePage,
  Settlement,
  Task,
} from '../queue.ts'
import type { HoldLimits } from '../quota.ts'
import { createAdmission } from './admission.ts'
import { createBodyFiles, type KeptFile, shelfOf } from './body-files.ts'
import { openKeptCounts } from './kept-counts.ts'
import { createKeptQuota } from './kept-quota.ts'
import { addedRow, heldEntry, readAttempt, settlementRow } from './message-codec.ts'
import { prepare } from './new-row.ts'
import type { FoundTasks } from './next-rows.ts'
import { createReadAhead } from './read-ahead.ts'
import { relane } from './relane.ts'
import { type EntryRow, stateNumber } from './rows.ts'
import { sweep } from './sweep.ts'
import type { QueueOperations } from './tables.ts'

/** For `openStore`: `tables.ts` from a checkout, `tables.js` from the package. */
export const queueModule = new URL(`./tables${import.meta.url.slice(-3)}`, import.meta.url)

export interface SqliteQueueDeps {
  readonly clock: Clock
  /** Asked at each message, so that a reload can change them. */
  limits(): HoldLimits
  /** A held message cannot be sent: its body is missing or is not what was stored. For an alert. */
  corrupt(id: string, why: string): void
  /** What was kept for a person had no room any more: the oldest went. For the log. */
  dropped(entry: HeldEntry): void
}

export interface SqliteQueue extends Queue {
  /** Resolves when rows without files and files without rows have been looked for, which goes on behind the start. Never rejects. */
  readonly swept: Promise<void>
}

const mostTasks = 1000
/** Octets of bodies that come with the tasks of one call, and that wait here in all. */
const mostAheadOnce = 1024 * 1024
const mostAhead = 4 * 1024 * 1024

/** Throws a `StoreFailure` where the rows cannot be read. The store stays the caller's to close, after the queue. */
export async function openSqliteQueue(store: Store, deps: SqliteQueueDeps): Promise<SqliteQueue> {
  const room = store.room<QueueOperations>('queue')
  const turns = createFairTurns()
  const files = createBodyFiles(join(store.folder, 'hold'), markCorrupt)
  const ahead = createReadAhead(mostAhead)
  let isClosed = false

  while (await room.write('recover', undefined)) {
    // In pages, as everything is.
  }
  const counts = await openKeptCounts(store, room, deps.clock)
  const { counters } = counts
  const admission = createAdmission({ limits: () => deps.limits(), space: store.space, counters })
  const kept = createKeptQuota({
    room,
    counts,
    files,
    limit: () => admission.limit,
    decode,
    dropped: (entry) => deps.dropped(entry),
  })

  async function hold(message: NewHeld): Promise<HoldOutcome> {
    shelfOf(message.id)
    const refused = await admission.admit(message)
    if (refused) return { kind: 'full', why: refused }
    let file: KeptFile | undefined
    try {
      const prepared = await prepare(message, turns, files)
      file = prepared.file
      await room.write('hold', prepared.row, {
        payload: prepared.payload,
        undo: { name: 'forget', argument: message.id },
        committed: () => counts.added(message, prepared.row.size),
      })
      return { kind: 'held' }
    } catch (error) {
      if (!(error instanceof StoreFailure)) throw error
      counts.noteFailure(error)
      ahead.drop(message.id)
      // A row that may be there needs its file; the sweep finds it when the row is taken back.
      if (file && !error.isUnknown) await files.remove(message.id).catch(() => undefined)
      return error.code === 'full' ? { kind: 'full', why: 'disk' } : { kind: 'failed', why: error.message }
    } finally {
      file?.done()
      admission.done(message)
    }
  }

  async function add(message: NewHeld): ReturnType<Queue['add']> {
    const refused = await admission.admit(message)
    if (refused) return { kind: 'full', why: refused }
    try {
      const row = addedRow(message, turns.next(message.envelope.sender, message.receivedMs))
      const change = await room.write('add', row, {
        committed: (done) => {
          if (done) counts.apply([done])
        },
      })
      return { kind: change ? 'held' : 'gone' }
    } catch (error) {
      if (!(error instanceof StoreFailure)) throw error
      counts.noteFailure(error)
      if (error.code === 'full' && !error.isUnknown) return { kind: 'full', why: 'disk' }
      throw error
    } finally {
      admission.done(message)
    }
  }

  async function settle(settlement: Settlement): Promise<void> {
    const { dsn } = settlement
    ahead.drop(settlement.id)
    const prepared = dsn && (await prepare(dsn, turns, files))
    let wasDsnHeld = false
    try {
      const result = await room.write('settle', settlementRow(settlement, prepared?.row), {
        payload: prepared?.payload ?? [],
        committed(done) {
          // It may have come along again while this was on its way.
          ahead.drop(settlement.id)
          if (!done) return
          counts.apply([done.change])
          wasDsnHeld = done.isDsnHeld
          if (dsn && prepared && wasDsnHeld) counts.added(dsn, prepared.row.size)
          for (const { to } of settlement.recipients) if ('notBeforeMs' in to) counts.wakeBy(to.notBeforeMs)
        },
      })
      // The row is gone: a file that stays behind is found by the next sweep.
      if (result?.leavesFile) await files.remove(settlement.id).catch(() => undefined)
    } catch (error) {
      if (error instanceof StoreFailure) counts.noteFailure(error)
      throw error
    } finally {
      if (prepared?.file && dsn) {
        if (!wasDsnHeld) await files.remove(dsn.id).catch(() => undefined)
        prepared.file.done()
      }
    }
    if (settlement.recipients.some(({ to }) => to.kind === 'refused' || to.kind === 'expired')) kept.trim()
  }

  /** Rows that hold what we never wrote are set aside as corrupt, and never stop those behind them. */
  function decode(rows: readonly EntryRow[], lanes: readonly (readonly [number, string])[]): HeldEntry[] {
    const names = new Map(lanes)
    return rows.flatMap((row) => {
      try {
        return [heldEntry(row, names)]
      } catch (error) {
        markCorrupt(row.message[1], `its row cannot be read: ${error instanceof Error ? error.message : ''}`)
        return []
      }
    })
  }

  function markCorrupt(id: string, why: string): void {
    void room
      .write('spoil', id, {
        committed: (change) => {
          if (change) counts.apply([change])
        },
      })
      .then((change) => change && deps.corrupt(id, why), counts.noteFailure)
  }

  function tasksOf({ tasks, bodies, lane: number }: FoundTasks, lane: Lane): Task[] {
    bodies.forEach((content, at) => {
      const message = tasks[at]?.message
      if (content && message) ahead.put(message[1], { content, has8bit: message[5] === 1 })
    })
    return tasks.flatMap((row) =>
      decode([row], [[number, lane]]).map((entry) => ({ ...entry, lane, turnMs: row.turn })),
    )
  }

  const wanted = (lane: Lane, limit: number, without: ReadonlySet<string>) => ({
    lane,
    limit: Math.max(1, Math.min(mostTasks, limit)),
    without: [...without],
    nowMs: deps.clock.now(),
    mostOctets: mostAheadOnce,
  })

  async function body(id: string): Promise<OpenedBody> {
    const known = ahead.get(id)
    if (known) return { kind: 'opened', body: bodyInMemory(known.content, known.has8bit) }
    const found = await room.read('bodyOf', id)
    if (found.kind === 'gone') return found
    if (found.kind === 'content') return { kind: 'opened', body: bodyInMemory(found.content, found.has8bit) }
    const opened = found.kind === 'file' ? await files.open(id, found) : found
    if (opened.kind === 'corrupt') markCorrupt(id, opened.why)
    return opened
  }

  async function wake(nowMs: number, farMs = Number.MAX_SAFE_INTEGER): Promise<Lane[]> {
    const lanes = new Set<string>()
    for (;;) {
      const page = await room.write(
        'wake',
        { nowMs, farMs },
        {
          committed(done) {
            counts.apply(done.changes)
            counts.woken(done.nextMs)
          },
        },
      )
      for (const lane of page.lanes) lanes.add(lane)
      if (!page.isFull) return [...lanes] as Lane[]
    }
  }

  async function list(filter: QueueFilter, limit: number, from?: string): Promise<QueuePage> {
    const { entries, lanes, last } = await room.read('page', {
      ids: filter.ids,
      domain: filter.domain?.toLowerCase(),
      sender: filter.sender?.toLowerCase(),
      recipient: filter.recipient?.toLowerCase(),
      states: filter.states?.map((state) => stateNumber[state]),
      receivedBeforeMs: filter.receivedBeforeMs,
      receivedAfterMs: filter.receivedAfterMs,
      after: /^\d{1,15}$/.test(from ?? '') ? Number(from) : 0,
      limit: Math.max(1, Math.min(mostTasks, limit)),
    })
    return { messages: decode(entries, lanes), next: last === undefined ? undefined : String(last) }
  }

  // The limit may be lower than it was.
  kept.trim()
  const swept = sweep({ room, files, clock: deps.clock, corrupt: markCorrupt, isClosed: () => isClosed })

  return {
    hold,
    add,
    wouldHold(asked) {
      const { state } = store
      if (state.kind === 'closed') return { kind: 'failed', why: 'the store is closed' }
      if (state.kind === 'failing')
        return state.code === 'full' ? { kind: 'full', why: 'disk' } : { kind: 'failed', why: state.why }
      const why = admission.whyNot(asked)
      return why === undefined ? { kind: 'held' } : { kind: 'full', why }
    },
    settle,
    body,
    wake,
    list,
    relane: (laneOf) => relane(room, counts, laneOf),
    swept,
    next: async (lane, limit, without) => tasksOf(await room.read('readyTasks', wanted(lane, limit, without)), lane),
    async nextUnknown(lane, limit, without) {
      // Asked for as often as what is ready, and nearly never there.
      if (!counts.mayHave(lane, 'unknown')) return []
      return tasksOf(await room.read('unknownTasks', wanted(lane, limit, without)), lane)
    },
    idsWith: (prefix, limit) => room.read('idsWith', { prefix, limit: Math.max(1, Math.min(mostTasks, limit)) }),
    nextWakes: async () => new Map(await room.read('nextWakes', undefined)),
    nextWakeMs: counts.nextWakeMs,
    async overdue(nowMs, limit) {
      const found = await room.read('overdue', { nowMs, limit: Math.max(1, Math.min(mostTasks, limit)) })
      return { expiring: decode(found.expiring, found.lanes), kept: decode(found.kept, found.lanes) }
    },
    async countOverdue(nowMs) {
      const overdue = await room.read('countOverdue', nowMs)
      const { messages, keptMessages } = counters.totals
      return { overdue, all: messages - keptMessages }
    },
    lanes: counters.lanes,
    domains: counters.domains,
    get totals() {
      return counters.totals
    },
    async get(id) {
      const found = await room.read('entry', id)
      const entry = found && decode([found.entry], found.lanes)[0]
      return entry && { ...entry, attempts: (await room.read('attemptsOf', id)).map(readAttempt) }
    },
    async close() {
      isClosed = true
      counts.close()
      await kept.close()
      await swept
    },
  }
}

function bodyInMemory(content: Uint8Array, has8bit: boolean): Body {
  let blocks: readonly Buffer[] = [Buffer.from(content.buffer, content.byteOffset, content.byteLength)]
  return {
    size: content.length,
    has8bit,
    blocks: () => blocks,
    release() {
      blocks = []
    },
  }
}
