/**
 * Files that are there whole or not at all: whoever reads one sees the old or the new, also after a crash or a power loss. For the small files of the
 * state folder (`gateway/backends/out-of-service.ts`, `config/state-files.ts`), zones and exports.
 */
import { type FileHandle, open, rename, rm, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isMissing } from './error-code.ts'
import { syncFolder } from './sync-folder.ts'

/**
 * Readable for its owner alone (0600). Resolves when the new content is on stable storage; rejects with the system's error, and leaves the
 * old file as it was. Its folder must exist. One writer at a time: the draft has one name, so that drafts do not gather.
 */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  await writeWhole(path, (file) => file.writeFile(content))
  // The name is an entry of the folder: until that is written, a power loss brings the old file back.
  await syncFolder(dirname(path))
}

/**
 * The same for many files of a folder, whose names are on the disk once `syncFolder` has resolved. Others may write to that folder too: what stands
 * where the draft goes is removed and never written to, so that a link there leads nobody's file to harm.
 * @param write  `false`: nothing is to be there
 */
export async function writeWhole(path: string, write: (file: FileHandle) => Promise<unknown>): Promise<void> {
  // With another end than the file's, so that whoever reads the folder passes over one that a crash has left.
  const draft = `${path}.new`
  await unlink(draft).catch((error: unknown) => {
    if (!isMissing(error)) throw error
  })
  try {
    const isWanted = await writeSynced(draft, write)
    if (isWanted) await rename(draft, path)
    else await rm(draft, { force: true })
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined)
    throw error
  }
}

async function writeSynced(path: string, write: (file: FileHandle) => Promise<unknown>): Promise<boolean> {
  // O_EXCL: never through a link, and never into what somebody else has put there since.
  const file = await open(path, 'wx', 0o600)
  try {
    const isWanted = (await write(file)) !== false
    await file.sync()
    return isWanted
  } finally {
    await file.close()
  }
}
