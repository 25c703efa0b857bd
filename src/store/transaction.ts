/**
 * Runs what was asked for at the same time as one transaction, with one sync for all of it: `thread.ts` calls this with each batch. An operation
 * that fails is undone alone; where the disk fails, all of them fail.
 */
import { type Connection, outcomeOf } from './database.ts'
import { asFailure, fromWords, StoreFailure, wordsOf } from './failure.ts'
import type { BatchAnswer, Call, Outcome, WriteCall } from './protocol.ts'

/**
 * Savepoints cost a sixth of the whole, and nearly nothing ever fails: so a batch goes without them first, and where something fails in it, once more
 * with them. An operation leaves nothing behind that a rollback does not undo.
 */
export function runBatch(
  db: Connection,
  undos: readonly Call[],
  calls: readonly WriteCall[],
  payloads: ArrayBuffer,
): BatchAnswer {
  const first = attempt(db, undos, calls, payloads, runBare)
  return first ?? (attempt(db, undos, calls, payloads, runAlone) as BatchAnswer)
}

type RunCall = (db: Connection, call: Call, payload: Uint8Array) => Outcome

/** Says of a transaction that it is to be run again, each operation behind a savepoint. */
class NotAlone extends Error {}

function attempt(
  db: Connection,
  undos: readonly Call[],
  calls: readonly WriteCall[],
  payloads: ArrayBuffer,
  run: RunCall,
): BatchAnswer | undefined {
  const results: unknown[] = []
  const failed: BatchAnswer['failed'][number][] = []
  try {
    const failure = inTransaction(db, () => {
      takeBack(db, undos)
      for (const call of calls) {
        const outcome = run(db, call, new Uint8Array(payloads, call.offset, call.octets))
        if (outcome.kind !== 'done') failed.push([results.length, outcome])
        results.push(outcome.kind === 'done' ? outcome.result : undefined)
      }
    })
    return failure
      ? { kind: 'batch', results: [], failed: [], failure: wordsOf(failure) }
      : { kind: 'batch', results, failed, failure: undefined }
  } catch (error) {
    if (error instanceof NotAlone) return undefined
    throw error
  }
}

function runBare(db: Connection, call: Call, payload: Uint8Array): Outcome {
  try {
    return { kind: 'done', result: db.run(call, payload) }
  } catch (error) {
    throw new NotAlone(undefined, { cause: error })
  }
}

/** Takes room for so many octets, and commits. */
export function runProbe(db: Connection, undos: readonly Call[], octets: number): StoreFailure | undefined {
  return inTransaction(db, () => {
    takeBack(db, undos)
    db.sql('INSERT OR REPLACE INTO probe (one, content) VALUES (1, randomblob(?))').run(octets)
  })
}

/** @returns the failure of the transaction, which then left nothing, unless it is unknown */
function inTransaction(db: Connection, work: () => void): StoreFailure | undefined {
  try {
    db.sql('BEGIN IMMEDIATE').run()
    work()
  } catch (error) {
    rollBack(db)
    if (error instanceof NotAlone) throw error
    return asFailure(error) ?? new StoreFailure('io', `a transaction broke: ${String(error)}`, false, error)
  }
  try {
    db.sql('COMMIT').run()
    return undefined
  } catch (error) {
    rollBack(db)
    // The log may hold the transaction, whole, even so: nobody knows until it is read again.
    return asFailure(error, true) ?? new StoreFailure('io', String(error), true, error)
  }
}

function takeBack(db: Connection, undos: readonly Call[]): void {
  for (const undo of undos) {
    const outcome = runAlone(db, undo)
    // It must have worked before anything else may.
    if (outcome.kind === 'failed') throw fromWords(outcome.failure)
  }
}

function runAlone(db: Connection, call: Call, payload?: Uint8Array): Outcome {
  db.sql('SAVEPOINT operation').run()
  try {
    const result = db.run(call, payload)
    db.sql('RELEASE operation').run()
    return { kind: 'done', result }
  } catch (error) {
    db.memory.clear()
    // A full or failing disk rolls the whole transaction back by itself: then nothing of the batch has happened.
    if (!db.handle.isTransaction) throw error
    db.sql('ROLLBACK TO operation').run()
    db.sql('RELEASE operation').run()
    return outcomeOf(error, call)
  }
}

function rollBack(db: Connection): void {
  db.memory.clear()
  db.takeGiven()
  if (!db.handle.isTransaction) return
  try {
    db.sql('ROLLBACK').run()
  } catch {
    // The next BEGIN will say what is wrong.
  }
}
