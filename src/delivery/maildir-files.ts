/** What a Maildir needs of the file system, so that a test can make any step of it fail. Rejections carry the system's `code`. */
import { constants } from 'node:fs'
import { lstat, mkdir, open, rename, unlink } from 'node:fs/promises'

export interface MaildirFiles {
  /** What stands there, links not followed; `nothing` also where what leads there is missing. */
  look(path: string): Promise<'folder' | 'other' | 'nothing'>
  /** Makes a folder (0700). One that is there is no error. @returns whether it was made */
  mkdir(path: string): Promise<boolean>
  /** Makes a file (0600) that must not be there yet. */
  create(path: string): Promise<MaildirFile>
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
  syncFolder(path: string): Promise<void>
}

export interface MaildirFile {
  write(bytes: Buffer): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

export const systemFiles: MaildirFiles = {
  async look(path) {
    try {
      return (await lstat(path)).isDirectory() ? 'folder' : 'other'
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'ENOTDIR') return 'nothing'
      throw error
    }
  },
  async mkdir(path) {
    try {
      await mkdir(path, { mode: 0o700 })
      return true
    } catch (error) {
      // Two deliveries may make it at once.
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
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
