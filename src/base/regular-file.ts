/**
 * Files that others may have put where we read: regular ones alone, and no more of them than is meant, so that neither a pipe nor a device, nor a
 * file that grows, keeps us for ever. A read of a pipe would take one of the process's few threads for files until somebody writes.
 */
import { constants } from 'node:fs'
import { type FileHandle, lstat, open, stat } from 'node:fs/promises'
import { errorCode } from './error-code.ts'

/** `any`: links lead on. `none`: the name itself must be the file, as in a folder that others may write to. */
export type Links = 'any' | 'none'

/** Undefined: there is something, and it is no regular file. Rejects with the system's error. The handle is to be closed. */
export async function openRegular(path: string, links: Links): Promise<FileHandle | undefined> {
  // Before it is opened, too: to open a device may do something.
  if (!(await (links === 'any' ? stat : lstat)(path)).isFile()) return undefined
  const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants
  let file: FileHandle
  try {
    file = await open(path, O_RDONLY | O_NONBLOCK | (links === 'any' ? 0 : O_NOFOLLOW))
  } catch (error) {
    // It has become a link since we looked.
    if (links === 'none' && errorCode(error) === 'ELOOP') return undefined
    throw error
  }
  try {
    if ((await file.stat()).isFile()) return file
  } catch (error) {
    await file.close()
    throw error
  }
  await file.close()
  return undefined
}

export type ReadRegular =
  | { readonly kind: 'read'; readonly bytes: Buffer }
  | { readonly kind: 'irregular' }
  | { readonly kind: 'too-large' }

/** @param most  octets that it may have. Rejects with the system's error. */
export async function readRegular(path: string, links: Links, most: number): Promise<ReadRegular> {
  const file = await openRegular(path, links)
  if (!file) return { kind: 'irregular' }
  try {
    const { size } = await file.stat()
    const bytes = size <= most ? await readAtMost(file, size, most) : undefined
    return bytes ? { kind: 'read', bytes } : { kind: 'too-large' }
  } finally {
    await file.close()
  }
}

const largestStepBytes = 1024 * 1024

/**
 * What the size says is what it was: octets are counted as they come. But mostly it is right, and who reads very many small files should not
 * take a mebibyte for each.
 */
async function readAtMost(file: FileHandle, size: number, most: number): Promise<Buffer | undefined> {
  const pieces: Buffer[] = []
  let stepBytes = Math.min(size + 1, largestStepBytes)
  for (let total = 0; total <= most; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(stepBytes), 0, stepBytes, null)
    if (bytesRead === 0) return Buffer.concat(pieces, total)
    pieces.push(buffer.subarray(0, bytesRead))
    total += bytesRead
    if (total > size) stepBytes = largestStepBytes
    else if (total === size) stepBytes = 1
  }
  return undefined
}
