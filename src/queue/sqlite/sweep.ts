/**
 * Looks, behind the start, for rows whose file is missing or of another length (they become `corrupt`, and somebody is told), and for files that no row
 * names and that are over an hour old (they are removed: of messages whose sender never heard 250, or that have left). In pages; for `queue.ts` beside.
 */
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { StoreRoom } from '../../store/store.ts'
import { type BodyFiles, isNotThere } from './body-files.ts'
import type { RowOperations } from './tables.ts'

export interface SweepDeps {
  readonly room: StoreRoom<RowOperations>
  readonly files: BodyFiles
  readonly clock: Clock
  corrupt(id: string, why: string): void
  isClosed(): boolean
}

const oldMs = 3_600_000

/** Never rejects: what cannot be looked at now is found at the next start, or when it is read. */
export async function sweep(deps: SweepDeps): Promise<void> {
  try {
    await sweepRows(deps)
    await sweepFiles(deps)
  } catch {
    // The disk or the store fails, which is told elsewhere.
  }
}

async function sweepRows({ room, files, corrupt, isClosed }: SweepDeps): Promise<void> {
  for (let after = 0; !isClosed(); ) {
    const rows = await room.read('filesAfter', after)
    const last = rows.at(-1)
    if (!last) return
    after = last[0]
    for (const [, id, size] of rows) {
      const found = await files.size(id)
      if (found === size) continue
      // It may have been delivered since the page was read.
      const [held] = await room.read('heldOf', [id])
      if (held === undefined) continue
      corrupt(id, found === undefined ? 'its file is missing' : `its file has ${found} octets and not ${size}`)
    }
  }
}

async function sweepFiles({ room, files, clock, isClosed }: SweepDeps): Promise<void> {
  for (const shelf of await namesIn(files.folder)) {
    if (isClosed()) return
    const folder = join(files.folder, shelf)
    const old: string[] = []
    for (const name of await namesIn(folder)) {
      const found = await stat(join(folder, name)).catch(() => undefined)
      if (found && clock.now() - found.mtimeMs > oldMs && !files.isBeingStored(idOf(name))) old.push(name)
    }
    if (old.length === 0) continue
    const held = new Set(await room.read('heldOf', old))
    for (const name of old) {
      // Asked again behind the look at the rows: an old file of the spool may just be coming in.
      if (!held.has(name) && !files.isBeingStored(idOf(name))) await rm(join(folder, name), { force: true })
    }
  }
}

/** `ID`, or `ID.new` while it is written. */
const idOf = (name: string) => name.replace(/\.new$/, '')

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (isNotThere(error)) return []
    throw error
  }
}
