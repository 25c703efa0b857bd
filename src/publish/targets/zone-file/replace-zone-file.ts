/**
 * Puts a new text in the place of a zone file's, as a whole: whoever reads it sees the old or the new one, also after a crash. Mode, owner and
 * a symbolic link on the way to it stay. Called by `zone-file.ts`.
 */
import { constants } from 'node:fs'
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { errorCode, isMissing } from '../../../base/error-code.ts'
import type { Random } from '../../../base/random.ts'
import { syncFolder } from '../../../base/sync-folder.ts'

export type Replaced =
  | { readonly kind: 'replaced' }
  /** Nothing was changed. */
  | { readonly kind: 'refused'; readonly why: string; readonly remedy: string }
  /** What the last look said; nothing was changed. */
  | { readonly kind: 'stopped'; readonly why: string }

export interface Replacement {
  readonly path: string
  readonly bytes: Uint8Array
  /** Called with the draft's path when it is complete and on disk; a reason stops it, and the draft goes. */
  readonly lastLook: (draft: string) => Promise<string | undefined>
  readonly random: Random
}

/** Rejects with the system's error where it is none of those that a person can mend by permissions or space. */
export async function replaceZoneFile(replacement: Replacement): Promise<Replaced> {
  const { bytes, lastLook, random } = replacement
  let draft: string | undefined
  try {
    // A link stays a link: what it leads to is replaced.
    const path = await realpath(replacement.path).catch(() => replacement.path)
    const old = await stat(path).catch((error: unknown) => {
      if (isMissing(error)) return undefined
      throw error
    })
    // To root every file is writable, and yet somebody has said that this one shall not be.
    if (old && (old.mode & 0o222) === 0)
      return refused(`${path} is read-only`, 'Make it writable for its owner, or publish in another way.')
    draft = join(dirname(path), `.${basename(path)}.${random.bytes(6).toString('hex')}`)
    const file = await open(draft, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
    try {
      await file.writeFile(bytes)
      if (old && !(await takeOver(file, old)))
        return refused(
          `${path} belongs to another user (${old.uid}:${old.gid}), and would no longer`,
          'Run this as that user, or as root.',
        )
      await file.sync()
    } finally {
      await file.close()
    }
    const why = await lastLook(draft)
    if (why !== undefined) return { kind: 'stopped', why }
    await rename(draft, path)
    draft = undefined
    await syncFolder(dirname(path))
    return { kind: 'replaced' }
  } catch (error) {
    const why = whyRefused(error)
    if (why === undefined) throw error
    return refused(`${replacement.path} cannot be written: ${why}`, 'Nothing was changed. Mend that, and apply again.')
  } finally {
    if (draft !== undefined) await rm(draft, { force: true }).catch(() => undefined)
  }
}

const refused = (why: string, remedy: string): Replaced => ({ kind: 'refused', why, remedy })

/** @returns whether the draft has owner and mode of the old file */
async function takeOver(file: FileHandle, old: { uid: number; gid: number; mode: number }): Promise<boolean> {
  const mine = await file.stat()
  try {
    if (mine.uid !== old.uid || mine.gid !== old.gid) await file.chown(old.uid, old.gid)
  } catch (error) {
    if (errorCode(error) === 'EPERM') return false
    throw error
  }
  // Behind chown, which may take bits away.
  await file.chmod(old.mode & 0o7777)
  return true
}

/** The system's refusals that a person can do something about. */
export function whyRefused(error: unknown): string | undefined {
  const code = errorCode(error)
  return code !== undefined && refusals.has(code) ? `${refusals.get(code)} (${code})` : undefined
}

const refusals: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'this user may not'],
  ['EPERM', 'this user may not'],
  ['EROFS', 'its file system is read-only'],
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'the disk quota is used up'],
  ['EFBIG', 'it is too large for the file system'],
  ['ENOENT', 'there is no such file or folder'],
  ['ENOTDIR', 'a part of its path is no folder'],
  ['EISDIR', 'it is a folder'],
  ['EIO', 'the disk does not answer as it should'],
  ['ELOOP', 'its links lead in a circle'],
])
