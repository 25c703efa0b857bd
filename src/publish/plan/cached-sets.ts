/**
 * Until when caches may hold sets as they were before our last change of each: kept in the state folder, so that a later plan knows whether a
 * TTL was waited out. Told by `apply.ts`, asked by `consequences.ts`.
 */
import { dirname } from 'node:path'
import { z } from 'zod'
import { errorCode } from '../../base/error-code.ts'
import { readJsonFile, writeJsonFile } from '../../base/json-file.ts'
import { makeFolder } from '../../base/make-folder.ts'
import { createSharedRun } from '../../base/shared-run.ts'
import { type SetName, setKey } from '../sets/record-set.ts'

export interface CachedSets {
  /** Since 1970; undefined: nothing is known to be cached. */
  untilMs(set: SetName): number | undefined
  /** Why what was kept could not be read, so that more may be cached than `untilMs` knows; undefined: it was. */
  readonly unread: string | undefined
  /** Keeps the latest time of each set. Rejects with the system's error where it cannot be kept. */
  add(cached: readonly (SetName & { readonly untilMs: number })[]): Promise<void>
}

const kept = z.object({ version: z.literal(1), sets: z.record(z.string(), z.number()) })

/**
 * @param path  of the file; one that is missing holds nothing
 * @param nowMs  since 1970: what has passed is forgotten
 */
export async function loadCachedSets(path: string, nowMs: number): Promise<CachedSets> {
  const read = await readKept(path)
  const unread = read.kind === 'failed' ? read.why : undefined
  const kept = read.kind === 'failed' ? {} : read.sets
  const sets = new Map(Object.entries(kept).filter(([, untilMs]) => untilMs > nowMs))
  // The whole of it, and once for all that were added meanwhile: zones may be applied by the thousand.
  const write = createSharedRun(async () => {
    await makeFolder(dirname(path))
    const sorted = Object.fromEntries([...sets].toSorted(([one], [other]) => (one < other ? -1 : 1)))
    await writeJsonFile(path, { version: 1, sets: sorted })
  })
  return {
    untilMs: (set) => sets.get(fileKey(set)),
    unread,
    async add(cached) {
      if (cached.length === 0) return
      for (const set of cached) {
        const key = fileKey(set)
        sets.set(key, Math.max(sets.get(key) ?? 0, set.untilMs))
      }
      await write()
    },
  }
}

/** Names are octets: in hexadecimal, whatever they hold. */
const fileKey = (set: SetName) => Buffer.from(setKey(set), 'latin1').toString('hex')

type ReadKept =
  | { readonly kind: 'read'; readonly sets: Readonly<Record<string, number>> }
  /** It belongs to another user, say, or is damaged. */
  | { readonly kind: 'failed'; readonly why: string }

async function readKept(path: string): Promise<ReadKept> {
  try {
    const file = await readJsonFile(path, (json) => kept.safeParse(json).data?.sets)
    if (file.kind === 'damaged') return failed(`${path} is damaged`)
    return { kind: 'read', sets: file.kind === 'read' ? file.value : {} }
  } catch (error) {
    const code = errorCode(error)
    if (code === undefined) throw error
    return failed(`${path} cannot be read (${code})`)
  }
}

const failed = (why: string): ReadKept => ({ kind: 'failed', why })
