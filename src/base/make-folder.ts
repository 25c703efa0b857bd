/**
 * Makes a folder and what is missing above it. Node's own `recursive` tries for ever where a system answers ENOENT for a name whose parent is
 * there, as `/proc` does: a wrong path in a configuration or an argument must be an error.
 */
import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errorCode, isMissing } from './error-code.ts'

/**
 * @param mode  of each folder that is made
 * @returns whether anything was made. Rejects with the system's error: ENOENT where it cannot be there, EEXIST where it is no folder.
 */
export async function makeFolder(path: string, mode = 0o700): Promise<boolean> {
  if (await isMade(path, mode)) return true
  if (await isFolder(path)) return false
  const parent = dirname(path)
  if (parent !== path) await makeFolder(parent, mode)
  try {
    await mkdir(path, { mode })
    return true
  } catch (error) {
    // Somebody else was faster.
    if (errorCode(error) === 'EEXIST' && (await isFolder(path))) return false
    throw error
  }
}

/** @returns false where it is there already, or what is above it is not */
async function isMade(path: string, mode: number): Promise<boolean> {
  try {
    await mkdir(path, { mode })
    return true
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT') return false
    if (await isFolder(path)) return false
    throw error
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}
