/**
 * The contract of the store: rows on stable storage, for rooms that bring their own tables (`module.ts`). `openStore` (`open.ts`) makes one on
 * SQLite. Nothing here waits for a disk on the main thread.
 *
 * Writes are committed in groups: what is asked for while a COMMIT is under way goes together into the next one, so one sync serves all.
 */

import type { FreeSpace } from '../base/free-space.ts'
import type { FailureCode } from './failure.ts'
import type { OperationTable } from './module.ts'

export interface Store {
  /** Absolute path of the folder that it lies in; rooms may keep files of their own beside it. */
  readonly folder: string
  readonly space: FreeSpace
  readonly state: StoreState
  /** Calls the listener at each change of `state`. */
  onState(listener: (state: StoreState) => void): void
  /** The operations of one of the modules that the store was opened with. */
  room<Operations extends OperationTable>(name: string): StoreRoom<Operations>
  /** Finishes what was asked for, lets go of the lock. What is asked for later fails as `closed`. */
  close(): Promise<void>
}

export type StoreState =
  | { readonly kind: 'writable' }
  /** It tries again by itself. Writes are still tried; while this lasts most of them fail. */
  | { readonly kind: 'failing'; readonly code: FailureCode; readonly why: string }
  | { readonly kind: 'closed' }

export interface StoreRoom<Operations extends OperationTable> {
  /**
   * Resolves when what the operation wrote is on stable storage. Rejects with a `StoreFailure`, or with another error where the operation has a bug.
   */
  write<Name extends keyof Operations & string>(
    name: Name,
    argument: Parameters<Operations[Name]>[1],
    options?: WriteOptions<Operations, ReturnType<Operations[Name]>>,
  ): Promise<ReturnType<Operations[Name]>>
  /** Asks the rows as the last COMMIT left them, in order of asking. The operation must only read. */
  read<Name extends keyof Operations & string>(
    name: Name,
    argument: Parameters<Operations[Name]>[1],
  ): Promise<ReturnType<Operations[Name]>>
}

export interface WriteOptions<Operations extends OperationTable, Result> {
  /** Octets that go along: copied once, when the transaction is sent, and handed to the operation as one array. */
  readonly payload?: readonly Uint8Array[]
  /** What takes it back where nobody knows whether it was committed: run in the next transaction that works, before all else. */
  readonly undo?: { readonly name: keyof Operations & string; readonly argument: unknown }
  /** Called with the result when it is committed, before the promise resolves, in the order in which operations ran. */
  readonly committed?: (result: Result) => void
}
