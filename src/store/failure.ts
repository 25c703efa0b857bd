/**
 * What goes wrong with a store, as one kind of error with a code that callers switch on: SQLite's result codes and the file system's
 * `errno` end here. Thrown by `Store` and by whatever keeps files beside it.
 */

/**
 * - `full`: no room on the disk, or a quota.
 * - `read-only`: the folder or the database may not be written.
 * - `busy`: another program holds the database.
 * - `corrupt`: what lies there is no database, or a damaged one.
 * - `io`: the disk failed, or gives no answer.
 * - `closed`: the store was closed, or its thread has ended.
 */
export type FailureCode = 'full' | 'read-only' | 'busy' | 'corrupt' | 'io' | 'closed'

export class StoreFailure extends Error {
  override readonly name = 'StoreFailure'
  readonly code: FailureCode
  /** A COMMIT failed or was not answered: what was written may be there or not. It counts as not there, and is taken back. */
  readonly isUnknown: boolean

  constructor(code: FailureCode, message: string, isUnknown = false, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.isUnknown = isUnknown
  }
}

/** A failure as it goes from thread to thread. */
export interface FailureWords {
  readonly code: FailureCode
  readonly message: string
  readonly isUnknown: boolean
}

export const wordsOf = ({ code, message, isUnknown }: StoreFailure): FailureWords => ({ code, message, isUnknown })

export const fromWords = ({ code, message, isUnknown }: FailureWords): StoreFailure =>
  new StoreFailure(code, message, isUnknown)

/** The failure that an error of SQLite or of the file system is, or undefined where it is neither: a bug. */
export function asFailure(error: unknown, isUnknown = false): StoreFailure | undefined {
  if (error instanceof StoreFailure) return error
  if (!(error instanceof Error)) return undefined
  const code = 'errcode' in error && typeof error.errcode === 'number' ? sqliteCode(error.errcode) : errnoCode(error)
  return code && new StoreFailure(code, error.message, isUnknown, error)
}

/** SQLite's primary result codes are the lower 8 bits of the extended ones. A wrong statement and a constraint are bugs: undefined. */
function sqliteCode(errcode: number): FailureCode | undefined {
  return sqliteCodes.get(errcode & 0xff)
}

const sqliteCodes: ReadonlyMap<number, FailureCode> = new Map([
  [3, 'read-only'], // SQLITE_PERM
  [4, 'io'], // SQLITE_ABORT
  [5, 'busy'], // SQLITE_BUSY
  [6, 'busy'], // SQLITE_LOCKED
  [7, 'io'], // SQLITE_NOMEM
  [8, 'read-only'], // SQLITE_READONLY
  [9, 'io'], // SQLITE_INTERRUPT
  [10, 'io'], // SQLITE_IOERR
  [11, 'corrupt'], // SQLITE_CORRUPT
  [13, 'full'], // SQLITE_FULL
  [14, 'read-only'], // SQLITE_CANTOPEN
  [15, 'busy'], // SQLITE_PROTOCOL
  [26, 'corrupt'], // SQLITE_NOTADB
])

function errnoCode(error: Error): FailureCode | undefined {
  if (!('code' in error) || !('syscall' in error)) return undefined
  switch (error.code) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return 'full'
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return 'read-only'
    default:
      return 'io'
  }
}
