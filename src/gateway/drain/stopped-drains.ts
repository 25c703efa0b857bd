/**
 * Which backends get nothing of the hold until a person has looked (`drain-guard.ts`): kept in the state folder, because a restart is no such look.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../../base/atomic-file.ts'

const fileIn = (state: string) => join(state, 'stopped-drains.json')

/** Why each is stopped, by `backend.url`. A folder without the file means none; a file that is no such table rejects. */
export async function readStoppedDrains(state: string): Promise<ReadonlyMap<string, string>> {
  let text: string
  try {
    text = await readFile(fileIn(state), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map()
    throw error
  }
  const table: unknown = JSON.parse(text)
  if (!Array.isArray(table) || !table.every(isPair))
    throw new Error(`${fileIn(state)} cannot be read; remove it to let all drains go on`)
  return new Map(table)
}

const isPair = (entry: unknown): entry is [string, string] =>
  Array.isArray(entry) && entry.length === 2 && entry.every((text) => typeof text === 'string')

export async function writeStoppedDrains(state: string, stopped: ReadonlyMap<string, string>): Promise<void> {
  await replaceFile(fileIn(state), `${JSON.stringify([...stopped])}\n`)
}
