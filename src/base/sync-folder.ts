/** The names of files are entries of their folder: until that is on stable storage, a power loss takes new ones back. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

/** Resolves when the names are on stable storage. Rejects with the system's error. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
