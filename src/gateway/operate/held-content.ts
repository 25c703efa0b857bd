/** The content of a held message as a backend would get it, our trace line in front, in bounded parts: for `operate/look`. */
import type { Body } from '../../mail/message.ts'
import { StoreFailure } from '../../queue/queue.ts'
import type { CatAnswer } from './queue-shapes.ts'

/** `next`: where the part behind it begins. */
export type ContentPart = CatAnswer | { readonly kind: 'corrupt'; readonly why: string }

const partBytes = 4 * 1024 * 1024
const mostHeaderBytes = 64 * 1024

/** Octets from `offset` on. Releases the body. A body that turns out to be another one at its end is `corrupt`. */
export async function contentPart(trace: Buffer, body: Body, offset: number): Promise<ContentPart> {
  const size = trace.length + body.size
  const end = Math.min(size, offset + partBytes)
  try {
    const taken: Buffer[] = []
    let at = 0
    for await (const block of blocksOf(trace, body)) {
      if (at < end && at + block.length > offset) taken.push(block.subarray(Math.max(0, offset - at), end - at))
      at += block.length
      if (at >= end && end < size) break
    }
    return { content: Buffer.concat(taken).toString('base64'), size, next: end < size ? end : null }
  } catch (error) {
    if (error instanceof StoreFailure && error.code === 'corrupt') return { kind: 'corrupt', why: error.message }
    throw error
  } finally {
    body.release()
  }
}

/** The lines of the header, to the blank line or 64 KiB. Releases the body. */
export async function headerLines(trace: Buffer, body: Body): Promise<string[] | null> {
  try {
    let head = Buffer.alloc(0)
    for await (const block of blocksOf(trace, body)) {
      head = Buffer.concat([head, block])
      if (head.includes('\r\n\r\n') || head.length >= mostHeaderBytes) break
    }
    const end = head.indexOf('\r\n\r\n')
    return head
      .subarray(0, end < 0 ? mostHeaderBytes : end)
      .toString('utf8')
      .split('\r\n')
  } catch (error) {
    if (error instanceof StoreFailure && error.code === 'corrupt') return null
    throw error
  } finally {
    body.release()
  }
}

async function* blocksOf(trace: Buffer, body: Body): AsyncGenerator<Buffer> {
  yield trace
  yield* body.blocks()
}
