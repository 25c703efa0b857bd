/**
 * Opens the database of a store in one of its threads, with everything that durability asks for, and runs operations on it. For `thread.ts`.
 *
 * WAL with `synchronous=FULL`: each COMMIT syncs the log, so what was answered survives a power loss (NORMAL would forget the last commits).
 */
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { asFailure, StoreFailure, wordsOf } from './failure.ts'
import { migrate } from './migrate.ts'
import type { Database, StoreModule } from './module.ts'
import type { Call, NotOpened, Outcome, ThreadSettings } from './protocol.ts'

/** A database with the operations of its modules. */
export interface Connection extends Database {
  readonly handle: DatabaseSync
  /** Runs the operation as it is, and throws what it throws. */
  run(call: Call, payload?: Uint8Array): unknown
  /** What was given away since the last time. */
  takeGiven(): ArrayBuffer[]
  close(): void
}

export type OpenedConnection = { readonly kind: 'opened'; readonly connection: Connection } | NotOpened

const nothing = new Uint8Array()

/** Octets of the log that are kept when it starts anew, so that one large transaction does not take disk for good. */
const mostLogBytes = 64 * 1024 * 1024
/**
 * Pages in the log after which a COMMIT moves them into the database. Measured with 100 messages of 4 KiB at once: more of them bring no more messages a
 * second, and longer pauses (the slowest hundredth took 28 ms with 1000, 50 ms with 4000, 90 ms with 8000).
 */
const checkpointPages = 1000
const writerCacheKib = 32 * 1024
const readerCacheKib = 16 * 1024
/** What a reader waits for at most while the log starts anew. */
const busyMs = 5000

/** Throws what SQLite throws; `newer` is the one other outcome. */
export function openConnection(settings: ThreadSettings, modules: readonly StoreModule[]): OpenedConnection {
  const isWriter = settings.role === 'writer'
  const path = join(settings.folder, 'store.db')
  const handle = new DatabaseSync(path, { readOnly: !isWriter, timeout: busyMs, enableForeignKeyConstraints: false })
  try {
    if (isWriter) {
      prepareWriter(handle, settings.maxPages)
      const migrated = migrate(handle, modules)
      if (migrated.kind === 'newer') {
        handle.close()
        return migrated
      }
    }
    handle.exec(`PRAGMA cache_size = ${-(isWriter ? writerCacheKib : readerCacheKib)}`)
  } catch (error) {
    handle.close()
    throw error
  }
  return { kind: 'opened', connection: connect(handle, modules) }
}

function prepareWriter(handle: DatabaseSync, maxPages: number | undefined): void {
  // Before the first table: what an outage took is given back to the disk when it is over.
  handle.exec('PRAGMA auto_vacuum = INCREMENTAL')
  handle.exec('PRAGMA journal_mode = WAL')
  handle.exec('PRAGMA synchronous = FULL')
  handle.exec(`PRAGMA journal_size_limit = ${mostLogBytes}`)
  handle.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}`)
  handle.exec('PRAGMA temp_store = MEMORY')
  if (maxPages !== undefined) handle.exec(`PRAGMA max_page_count = ${maxPages}`)
  // Asked back: a build or a file system that cannot do it says nothing when it is set.
  const mode = pragma(handle, 'journal_mode')
  if (mode !== 'wal')
    throw new StoreFailure('io', `this file system takes no write-ahead log (journal_mode is ${mode})`)
  const synchronous = pragma(handle, 'synchronous')
  if (synchronous !== 2) throw new StoreFailure('io', `synchronous is ${synchronous} and not 2, FULL`)
  handle.exec('CREATE TABLE IF NOT EXISTS probe (one INTEGER PRIMARY KEY CHECK (one = 1), content BLOB) STRICT')
}

/** The one value of a PRAGMA. */
export function pragma(handle: DatabaseSync, name: string): unknown {
  return Object.values(handle.prepare(`PRAGMA ${name}`).get() ?? {})[0]
}

function connect(handle: DatabaseSync, modules: readonly StoreModule[]): Connection {
  const statements = new Map<string, StatementSync>()
  const tables = new Map(modules.map(({ room, operations }) => [room, operations]))
  let given: ArrayBuffer[] = []
  const connection: Connection = {
    handle,
    memory: new Map(),
    sql(text) {
      let statement = statements.get(text)
      if (!statement) {
        statement = handle.prepare(text)
        statements.set(text, statement)
      }
      return statement
    },
    give(buffer) {
      if (buffer instanceof ArrayBuffer) given.push(buffer)
    },
    run({ room, operation, argument }, payload = nothing) {
      const run = tables.get(room)?.[operation]
      if (!run) throw new TypeError(`the room ${room} has no operation ${operation}`)
      return run(connection, argument, payload)
    },
    takeGiven() {
      const taken = given
      given = []
      return taken
    },
    close: () => handle.close(),
  }
  return connection
}

/** Free pages that stay in the database for the next outage, and how many are given back to the disk at a time: a few milliseconds' work. */
const keptFreePages = 4096
const pagesAtOnce = 256

/** Gives some of the pages that nothing is written on back to the disk. @returns whether there are more to give */
export function giveBack({ handle }: Connection): boolean {
  const free = Number(pragma(handle, 'freelist_count'))
  if (free <= keptFreePages) return false
  handle.exec(`PRAGMA incremental_vacuum(${Math.min(pagesAtOnce, free - keptFreePages)})`)
  const isMore = free - pagesAtOnce > keptFreePages
  // The file becomes shorter when the log is moved into it, which may be long from now.
  if (!isMore) handle.exec('PRAGMA wal_checkpoint(PASSIVE)')
  return isMore
}

/** What an operation's error means to whoever asked. */
export function outcomeOf(error: unknown, call: Call): Exclude<Outcome, { kind: 'done' }> {
  const failure = asFailure(error)
  if (failure) return { kind: 'failed', failure: wordsOf(failure) }
  const why = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { kind: 'bug', message: `${call.room}.${call.operation}: ${why}` }
}
