/**
 * Which backends get nothing of the hold until a person has looked (`drain-guard.ts`): kept in the state folder, because a restart is no such look.
 */
import { join } from 'node:path'
import { readJsonFile, writeJsonFile } from '../../base/json-file.ts'
import type { Log } from '../../base/log.ts'

export interface StoppedDrains {
  /** Why each is stopped, by `backend.url`. A folder without the file means none; a file that is no such table rejects. */
  read(): Promise<ReadonlyMap<string, string>>
  keep(stopped: ReadonlyMap<string, string>): void
  /** Resolves when the last table that was to be kept is written, or could not be. */
  written(): Promise<void>
}

/** @param state  the folder; a reload may change it */
export function createStoppedDrains(state: () => string, log: Log): StoppedDrains {
  let writing = Promise.resolve()
  return {
    read: () => readStoppedDrains(state()),
    keep(stopped) {
      // One after the other: the file is replaced as a whole.
      writing = writing
        .then(() => writeStoppedDrains(state(), stopped))
        .catch((error: unknown) => log.error('stopped drains not written down', { error }))
    },
    written: () => writing,
  }
}

const fileIn = (state: string) => join(state, 'stopped-drains.json')

/** Why each is stopped, by `backend.url`. A folder without the file means none; a file that is no such table rejects. */
export async function readStoppedDrains(state: string): Promise<ReadonlyMap<string, string>> {
  const file = await readJsonFile(fileIn(state), (json) =>
    Array.isArray(json) && json.every(isPair) ? new Map(json) : undefined,
  )
  if (file.kind === 'damaged') throw new Error(`${fileIn(state)} cannot be read; remove it to let all drains go on`)
  return file.kind === 'read' ? file.value : new Map()
}

const isPair = (entry: unknown): entry is [string, string] =>
  Array.isArray(entry) && entry.length === 2 && entry.every((text) => typeof text === 'string')

export async function writeStoppedDrains(state: string, stopped: ReadonlyMap<string, string>): Promise<void> {
  await writeJsonFile(fileIn(state), [...stopped])
}
