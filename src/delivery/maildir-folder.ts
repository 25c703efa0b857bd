/**
 * Where a recipient's Maildir lies (https://cr.yp.to/proto/maildir.html), and whether it is one that mail may be written to. The local part is
 * the sender's choice, so it becomes a folder only if it can mean nothing else, and nothing below the fixed part may be a link.
 * Called by `maildir.ts`.
 */
import { dirname, join } from 'node:path'
import type { MaildirFiles } from './maildir-files.ts'

export type Folder =
  | { readonly kind: 'folder'; readonly path: string }
  /** Nobody's. */
  | { readonly kind: 'none' }
  /** The file system cannot say now. */
  | { readonly kind: 'failed'; readonly code: string }

const placeholder = '{local}'
/** Neither a dot at its start nor a slash, so it names a folder here and none elsewhere. */
const safeLocalPart = /^[a-z0-9][a-z0-9._+-]{0,63}$/
const subfolders = ['tmp', 'new', 'cur']

/** @param path  of the backend; may hold `{local}` as a segment */
export async function findFolder(path: string, localPart: string, files: MaildirFiles): Promise<Folder> {
  const segments = path.split('/')
  const at = segments.indexOf(placeholder)
  try {
    if (at < 0) return await prepareBox(path, files)
    const local = localPart.toLowerCase()
    if (!safeLocalPart.test(local)) return { kind: 'none' }
    let below = segments.slice(0, at).join('/') || (path.startsWith('/') ? '/' : '.')
    // Without the folder of all folders nobody can be said not to exist: most likely a disk is not mounted.
    if ((await files.look(below)) === 'nothing') return { kind: 'failed', code: 'ENOENT' }
    for (const segment of [local, ...segments.slice(at + 1).filter((part) => part !== '')]) {
      below = join(below, segment)
      if (!(await isRealFolder(below, files))) return { kind: 'none' }
    }
    return await prepareSubfolders(below, files)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === undefined) throw error
    return { kind: 'failed', code }
  }
}

/** One box for all: made where it is missing, but not what leads to it, which may be a disk that is not mounted or a slip of the pen. */
async function prepareBox(path: string, files: MaildirFiles): Promise<Folder> {
  const isNew = await files.mkdir(path)
  // A new folder is an entry of the one above it, and is lost with it in a power cut.
  if (isNew) await files.syncFolder(dirname(path))
  return prepareSubfolders(path, files)
}

async function prepareSubfolders(path: string, files: MaildirFiles): Promise<Folder> {
  let hasMade = false
  for (const name of subfolders) {
    const subfolder = join(path, name)
    const what = await files.look(subfolder)
    if (what === 'other') return { kind: 'none' }
    if (what === 'folder') continue
    await files.mkdir(subfolder)
    hasMade = true
  }
  if (hasMade) await files.syncFolder(path)
  return { kind: 'folder', path }
}

async function isRealFolder(path: string, files: MaildirFiles): Promise<boolean> {
  return (await files.look(path)) === 'folder'
}
