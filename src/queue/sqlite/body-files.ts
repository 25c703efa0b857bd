/**
 * Bodies from 256 KiB on, each in a file: `hold/xx/ID` in the store's folder. A file is synced, named, and its folder synced before the row that names
 * it; it is removed after the row. So a row never lacks its file, and a file without a row is rubbish (`sweep.ts`).
 */
import { createHash } from 'node:crypto'
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { errorCode } from '../../base/error-code.ts'
import { makeFolder } from '../../base/make-folder.ts'
import { syncFolder } from '../../base/sync-folder.ts'
import type { Body } from '../../mail/message.ts'
import { asFailure, StoreFailure } from '../../store/failure.ts'
import type { NewHeld } from '../queue.ts'

export interface BodyFiles {
  readonly folder: string
  /** Takes the body over: its file by renaming it, else by writing one. Throws a `StoreFailure`, and leaves nothing then. */
  store(id: string, body: NewHeld['body']): Promise<StoredFile>
  /** What the file holds, its hash compared at the end: a wrong one throws `corrupt` instead of giving the last block. */
  open(id: string, stored: { size: number; sha256: Uint8Array; has8bit: boolean }): Promise<OpenedFile>
  remove(id: string): Promise<void>
  /** Octets of the file, or undefined where it is missing. */
  size(id: string): Promise<number | undefined>
  /** Files that are on their way to a row. */
  isBeingStored(id: string): boolean
}

export interface StoredFile {
  readonly sha256: Uint8Array
  readonly size: number
  /** Its row is committed, or its file removed: `isBeingStored` says no from now on. */
  done(): void
}

export type OpenedFile =
  | { readonly kind: 'opened'; readonly body: Body }
  | { readonly kind: 'corrupt'; readonly why: string }

const blockBytes = 64 * 1024

/** @param corrupt  called where a body that is being read turns out to be another one */
export function createBodyFiles(folder: string, corrupt: (id: string, why: string) => void): BodyFiles {
  const pathOf = (id: string) => join(folder, shelfOf(id), id)
  const onTheirWay = new Set<string>()

  async function write(id: string, body: NewHeld['body'], path: string): Promise<StoredFile> {
    const draft = body.file ?? `${path}.new`
    try {
      // A new shelf is on the disk only with the folder that names it.
      const made = await makeFolder(dirname(path))
      if (made) for (const parent of [folder, dirname(folder)]) await syncFolder(parent)
      if (body.file === undefined) await writeBlocks(draft, body)
      const { sha256, size } = await syncAndHash(draft)
      await rename(draft, path)
      await syncFolder(dirname(path))
      return { sha256, size, done: () => onTheirWay.delete(id) }
    } catch (error) {
      if (body.file === undefined) await rm(draft, { force: true }).catch(() => undefined)
      await rm(path, { force: true }).catch(() => undefined)
      throw asFailure(error) ?? error
    }
  }

  return {
    folder,
    async store(id, body) {
      onTheirWay.add(id)
      try {
        return await write(id, body, pathOf(id))
      } catch (error) {
        onTheirWay.delete(id)
        throw error
      }
    },
    async open(id, stored) {
      let file: FileHandle
      try {
        file = await open(pathOf(id), 'r')
      } catch (error) {
        if (isNotThere(error)) return { kind: 'corrupt', why: 'its file is missing' }
        throw asFailure(error) ?? error
      }
      const { size } = await file.stat().catch(async (error: unknown) => {
        await file.close().catch(() => undefined)
        throw asFailure(error) ?? error
      })
      if (size === stored.size) return { kind: 'opened', body: bodyOf(file, stored, (why) => corrupt(id, why)) }
      await file.close()
      return { kind: 'corrupt', why: `its file has ${size} octets and not ${stored.size}` }
    },
    async remove(id) {
      await rm(pathOf(id), { force: true })
    },
    async size(id) {
      try {
        return (await stat(pathOf(id))).size
      } catch (error) {
        if (isNotThere(error)) return undefined
        throw asFailure(error) ?? error
      }
    },
    isBeingStored: (id) => onTheirWay.has(id),
  }
}

/** The end of an id is chance, so the shelves fill evenly. An id that could lead out of the folder is a bug of ours. */
export function shelfOf(id: string): string {
  if (!/^[0-9A-Za-z_-]{2,64}$/.test(id)) throw new TypeError('the id of a message is not one')
  return id.slice(-2)
}

/** Neither the file nor, maybe, its folder. */
export function isNotThere(error: unknown): boolean {
  const code = errorCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

async function writeBlocks(path: string, body: Body): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    for await (const block of body.blocks()) await file.writeFile(block)
  } finally {
    await file.close()
  }
}

async function syncAndHash(path: string): Promise<{ sha256: Buffer; size: number }> {
  const file = await open(path, 'r+')
  try {
    // Read while it is still in memory, then to the disk with it.
    const sha256 = createHash('sha256')
    let size = 0
    for await (const block of blocksOf(file, Number.POSITIVE_INFINITY)) {
      sha256.update(block)
      size += block.length
    }
    await file.sync()
    return { sha256: sha256.digest(), size }
  } finally {
    await file.close()
  }
}

function bodyOf(
  file: FileHandle,
  { size, sha256, has8bit }: { size: number; sha256: Uint8Array; has8bit: boolean },
  corrupt: (why: string) => void,
): Body {
  let isReleased = false
  async function* blocks(): AsyncGenerator<Buffer> {
    const read = createHash('sha256')
    let at = 0
    for await (const block of blocksOf(file, size)) {
      read.update(block)
      at += block.length
      if (at === size && !read.digest().equals(sha256)) break
      yield block
      if (at === size) return
    }
    const why = at < size ? 'its file became shorter' : 'its file is not what was stored'
    corrupt(why)
    throw new StoreFailure('corrupt', `a held message cannot be sent: ${why}`)
  }
  return {
    size,
    has8bit,
    blocks,
    release() {
      if (isReleased) return
      isReleased = true
      void file.close().catch(() => undefined)
    },
  }
}

async function* blocksOf(file: FileHandle, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < size; ) {
    const block = Buffer.allocUnsafeSlow(Math.min(blockBytes, size - at))
    const { bytesRead } = await file.read(block, 0, block.length, at)
    if (bytesRead === 0) return
    at += bytesRead
    yield block.subarray(0, bytesRead)
  }
}
