/**
 * What a room brings to the store: its tables as migrations, and its operations, which run inside of the store's threads beside the
 * database. A module of this kind is named by URL to `openStore`, and exports `storeModule`.
 */
import type { StatementSync } from 'node:sqlite'

export interface StoreModule {
  /** Names its version in the database, and its operations. */
  readonly room: string
  /** SQL that leads from each version to the next, the first from nothing. Never changed once it has shipped. */
  readonly migrations: readonly string[]
  readonly operations: OperationTable
}

/**
 * Reads or changes rows; what it returns goes back to the caller by structured clone. Each runs as if alone: an error undoes what it did and
 * nothing else. It is synchronous, and short: every message that waits to be held waits for it. `payload` are the octets that went along.
 */
// biome-ignore lint/suspicious/noExplicitAny: each operation has an argument of its own, which `StoreRoom` gives back to its callers
export type Operation = (db: Database, argument: any, payload: Uint8Array) => unknown

export type OperationTable = Readonly<Record<string, Operation>>

/** The database as operations see it. */
export interface Database {
  /** A prepared statement, kept by its text: so the text is constant, and values are bound. */
  sql(text: string): StatementSync
  /** What an operation likes to remember of the rows. Forgotten whenever anything is rolled back. */
  readonly memory: Map<string, unknown>
  /** Hands the octets of a result over instead of copying them. */
  give(buffer: ArrayBufferLike): void
}
