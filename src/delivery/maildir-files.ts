/** What a Maildir needs of the file system, so that a test can make any step of it fail. Rejections carry the system's `code`. */
import { constants, existsSync } from 'node:fs'
import { mkdir, open, rename, unlink } from 'node:fs/promises'
import { errorCode } from '../base/error-code.ts'

export interface MaildirFiles {
  /**
   * Holds a folder open. @param links  `none`: what stands there must be the folder itself
   * @returns `other`: no folder, or a link; `nothing` also where what leads there is missing
   */
  enter(path: string, links: 'any' | 'none'): Promise<EnteredFolder | 'other' | 'nothing'>
  /** Makes a folder (0700). One that is there is no error. @returns whether it was made */
  mkdir(path: string): Promise<boolean>
  /** Makes a file (0600) that must not be there yet. */
  create(path: string): Promise<MaildirFile>
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
  syncFolder(path: string): Promise<void>
}

/** A folder that is held open. */
export interface EnteredFolder {
  /** Leads to it by what is held, whatever becomes of its name: somebody may put a link there at any moment. */
  readonly path: string
  leave(): Promise<void>
}

export interface MaildirFile {
  write(bytes: Buffer): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

/** Linux alone has it: `openat` and `renameat` are nothing that Node offers. */
const heldFolders = '/proc/self/fd'
/** O_PATH of Linux, which needs no right to read; Node has no name for it. */
const onlyToHold = 0o10000000

const withoutProc = () => Object.assign(new Error(`${heldFolders} is not there`), { code: 'no /proc' })

export const systemFiles: MaildirFiles = {
  async enter(path, links) {
    try {
      const handle = await open(
        path,
        onlyToHold | constants.O_DIRECTORY | (links === 'none' ? constants.O_NOFOLLOW : 0),
      )
      return { path: `${heldFolders}/${handle.fd}`, leave: () => handle.close() }
    } catch (error) {
      const code = errorCode(error)
      if (code === 'ENOTDIR' || code === 'ELOOP') return 'other'
      if (code !== 'ENOENT') throw error
      if (path.startsWith(`${heldFolders}/`) && !existsSync(heldFolders)) throw withoutProc()
      return 'nothing'
    }
  },
  async mkdir(path) {
    try {
      await mkdir(path, { mode: 0o700 })
      return true
    } catch (error) {
      // Two deliveries may make it at once.
      if (errorCode(error) === 'EEXIST') return false
      throw error
    }
  },
  async create(path) {
    const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants
    const handle = await open(path, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, 0o600)
    return {
      async write(bytes) {
        for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at)).bytesWritten
      },
      sync: () => handle.sync(),
      close: () => handle.close(),
    }
  },
  rename,
  remove: unlink,
  async syncFolder(path) {
    const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
}
