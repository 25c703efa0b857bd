/**
 * Where a recipient's Maildir lies (https://cr.yp.to/proto/maildir.html), and whether it is one that mail may be written to. The local part is
 * the sender's choice, so it becomes a folder only if it can mean nothing else, and nothing below the fixed part may be a link: each step is taken
 * from the folder that is held open, so that nobody can put a link in its way meanwhile. Called by `maildir.ts`.
 */
import { dirname, join } from 'node:path'
import { errorCode } from '../base/error-code.ts'
import type { EnteredFolder, MaildirFiles } from './maildir-files.ts'

export type Folder =
  | {
      readonly kind: 'folder'
      /** Its name, for whoever counts what it has. */
      readonly path: string
      /** Lead to its subfolders until `leave` is called, which is owed. */
      readonly tmp: string
      readonly new: string
      leave(): Promise<void>
    }
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
    if (at < 0) return await enterBox(path, files)
    const local = localPart.toLowerCase()
    if (!safeLocalPart.test(local)) return { kind: 'none' }
    const fixed = segments.slice(0, at).join('/') || (path.startsWith('/') ? '/' : '.')
    const below = [local, ...segments.slice(at + 1).filter((part) => part !== '')]
    let entered = await files.enter(fixed, 'any')
    // Without the folder of all folders nobody can be said not to exist: most likely a disk is not mounted.
    if (typeof entered === 'string') return { kind: 'failed', code: entered === 'nothing' ? 'ENOENT' : 'ENOTDIR' }
    for (const segment of below) {
      const next: EnteredFolder | string = await files.enter(join(entered.path, segment), 'none').finally(entered.leave)
      if (typeof next === 'string') return { kind: 'none' }
      entered = next
    }
    return await enterSubfolders(join(fixed, ...below), entered, files)
  } catch (error) {
    const code = errorCode(error)
    if (code === undefined) throw error
    return { kind: 'failed', code }
  }
}

/** One box for all: made where it is missing, but not what leads to it, which may be a disk that is not mounted or a slip of the pen. */
async function enterBox(path: string, files: MaildirFiles): Promise<Folder> {
  const isNew = await files.mkdir(path)
  // A new folder is an entry of the one above it, and is lost with it in a power cut.
  if (isNew) await files.syncFolder(dirname(path))
  const entered = await files.enter(path, 'any')
  if (typeof entered === 'string') return { kind: 'failed', code: 'ENOTDIR' }
  return enterSubfolders(path, entered, files)
}

/** @param box  is left */
async function enterSubfolders(path: string, box: EnteredFolder, files: MaildirFiles): Promise<Folder> {
  const entered: EnteredFolder[] = []
  const leave = async () => void (await Promise.all(entered.splice(0).map((each) => each.leave())))
  let hasMade = false
  try {
    for (const name of subfolders) {
      const subfolder = join(box.path, name)
      let found = await files.enter(subfolder, 'none')
      if (found === 'nothing') {
        hasMade = (await files.mkdir(subfolder)) || hasMade
        found = await files.enter(subfolder, 'none')
      }
      if (typeof found === 'string') {
        await leave()
        return { kind: 'none' }
      }
      entered.push(found)
    }
    if (hasMade) await files.syncFolder(box.path)
  } catch (error) {
    await leave()
    throw error
  } finally {
    await box.leave()
  }
  const [tmp = '', fresh = ''] = entered.map((each) => each.path)
  return { kind: 'folder', path, tmp, new: fresh, leave }
}
