/**
 * The lock that makes a store have one owner: a small database of its own in which a transaction stays open for as long as the owner lives. The
 * kernel lets go of it when the process ends, however it ends. For `thread.ts`.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { asFailure } from './failure.ts'

export interface Lock {
  release(): void
}

/** @returns undefined where somebody else has it. Throws where the file cannot be made or opened. */
export function takeLock(folder: string): Lock | undefined {
  const db = new DatabaseSync(join(folder, 'lock.db'), { timeout: 0 })
  try {
    // Takes the lock and writes nothing, so nothing is synced.
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if (asFailure(error)?.code === 'busy') return undefined
    throw error
  }
  return { release: () => db.close() }
}
