/**
 * The content of a message in a file, `ID.eml`, taken in again: our trace line and the body, which must be in the form that the hold gives to
 * backends as it is (CRLF line ends alone, no NUL). Called by `taking-in`.
 */
import type { FileHandle } from 'node:fs/promises'
import { openRegular } from '../../base/regular-file.ts'
import type { Body } from '../../mail/message.ts'

export type FileContent =
  | { readonly kind: 'content'; readonly trace: Buffer; readonly body: Body }
  | { readonly kind: 'wrong'; readonly why: string }

export interface Expected {
  readonly traceOctets: number
  readonly bodyOctets: number
  readonly has8bit: boolean
}

const blockBytes = 64 * 1024

/** The body is to be released. Rejects with the system's error. */
export async function readContent(path: string, expected: Expected): Promise<FileContent> {
  const file = await openRegular(path, 'none')
  if (!file) return { kind: 'wrong', why: 'it is no regular file' }
  try {
    const why = await whyWrong(file, expected)
    if (why !== undefined) {
      await file.close()
      return { kind: 'wrong', why }
    }
    const { traceOctets, bodyOctets, has8bit } = expected
    const trace = Buffer.alloc(traceOctets)
    await file.read(trace, 0, traceOctets, 0)
    let isOpen = true
    return {
      kind: 'content',
      trace,
      body: {
        size: bodyOctets,
        has8bit,
        blocks: () => blocksOf(file, traceOctets, traceOctets + bodyOctets),
        release() {
          if (!isOpen) return
          isOpen = false
          void file.close().catch(() => undefined)
        },
      },
    }
  } catch (error) {
    await file.close().catch(() => undefined)
    throw error
  }
}

async function whyWrong(file: FileHandle, expected: Expected): Promise<string | undefined> {
  const { size } = await file.stat()
  const wanted = expected.traceOctets + expected.bodyOctets
  if (size !== wanted) return `it has ${size} octets and not ${wanted}`
  let last = 0
  let hasHigh = false
  let at = 0
  for await (const block of blocksOf(file, 0, size)) {
    for (const octet of block) {
      if (octet === 0) return 'it holds a NUL'
      if ((octet === 0x0a) !== (last === 0x0d)) return 'it holds a line that does not end in CRLF'
      if (octet > 127 && at >= expected.traceOctets) hasHigh = true
      if (at === expected.traceOctets && at > 0 && last !== 0x0a) return 'its trace line does not end where it should'
      last = octet
      at++
    }
  }
  if (size > 0 && last !== 0x0a) return 'its last line does not end in CRLF'
  return hasHigh === expected.has8bit ? undefined : 'its octets above 127 are not what its envelope says'
}

async function* blocksOf(file: FileHandle, from: number, end: number): AsyncGenerator<Buffer> {
  for (let at = from; at < end; ) {
    const block = Buffer.allocUnsafeSlow(Math.min(blockBytes, end - at))
    const { bytesRead } = await file.read(block, 0, block.length, at)
    if (bytesRead === 0) return
    at += bytesRead
    yield block.subarray(0, bytesRead)
  }
}
