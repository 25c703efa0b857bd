/**
 * Which backends a person has taken out of service: kept in the state folder, so that a restart does not put one back that is being mended.
 */
import { join } from 'node:path'
import { readJsonFile, writeJsonFile } from '../../base/json-file.ts'
import type { Backends } from './backends.ts'

export interface OutOfService {
  /** Takes out what was out before the start. Rejects where the file is none of ours. */
  restore(): Promise<void>
  /** @param url  as `backend.url`; resolves when it is written down. @returns false where it was so, and nothing is done or written anew */
  set(url: string, isOut: boolean): Promise<boolean>
}

/** @param state  the folder */
export function createOutOfService(state: () => string, backends: Pick<Backends, 'out' | 'setOut'>): OutOfService {
  let written: Promise<void> = Promise.resolve()
  /** Those of which the last word could not be written down, and would be forgotten with the process: said again, it is tried again. */
  const unwritten = new Set<string>()
  return {
    async restore() {
      for (const url of await readOutOfService(state())) backends.setOut(url, true)
    },
    async set(url, isOut) {
      if (backends.out.has(url) === isOut && !unwritten.has(url)) return false
      unwritten.add(url)
      backends.setOut(url, isOut)
      // One behind the other: two people may do this at once.
      written = written.catch(() => undefined).then(() => writeOutOfService(state(), backends.out))
      await written
      unwritten.delete(url)
      return true
    },
  }
}

const fileIn = (state: string) => join(state, 'out-of-service.json')

/** URLs, as `backend.url`. A folder without the file means none; a file that is no list of texts rejects. */
async function readOutOfService(state: string): Promise<readonly string[]> {
  const file = await readJsonFile(fileIn(state), (json) =>
    Array.isArray(json) && json.every((url) => typeof url === 'string') ? json : undefined,
  )
  if (file.kind === 'damaged')
    throw new Error(`${fileIn(state)} is not a list of backends; remove it to put all of them back into service`)
  return file.kind === 'read' ? file.value : []
}

async function writeOutOfService(state: string, urls: Iterable<string>): Promise<void> {
  await writeJsonFile(fileIn(state), [...urls])
}
