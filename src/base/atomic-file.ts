/**
 * A file that is replaced as a whole: whoever reads it sees the old or the new one, also after a crash or a power loss.
 * For the small files of the state folder: `gateway/backends/out-of-service.ts`, `config/state-files.ts`.
 */
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Readable for its owner alone (0600). Resolves when the new content is on stable storage; rejects with the system's error, and leaves the
 * old file as it was. Its folder must exist. One writer at a time: the draft has one name, so that drafts do not gather.
 */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const draft = `${path}.new`
  try {
    await writeSynced(draft, content)
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
  // The name is an entry of the folder: until that is written, a power loss brings the old file back.
  await syncFolder(dirname(path))
}

async function writeSynced(path: string, content: string | Uint8Array): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
