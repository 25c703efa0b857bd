/** What goes into one transaction, and how it is packed for the writer's thread. For `group-commit.ts` and `sent.ts`. */
import { type Call, packCalls } from './protocol.ts'

/** One operation that somebody waits for. */
export interface Write {
  readonly call: Call
  readonly payload: readonly Uint8Array[]
  /** Of the payload. */
  readonly octets: number
  /** What takes it back where nobody knows whether it was committed. */
  readonly undo: Call | undefined
  committed(result: unknown): void
  resolve(result: unknown): void
  reject(error: unknown): void
}

const mostWrites = 256
const mostOctets = 16 * 1024 * 1024

/** How many of them fit in one transaction, from the front: at least one. */
export function batchLength(waiting: readonly Write[]): number {
  let octets = 0
  let count = 0
  while (count < waiting.length && count < mostWrites) {
    octets += waiting[count]?.octets ?? 0
    if (octets > mostOctets && count > 0) break
    count++
  }
  return count
}

/** The calls, and the octets of all of them in one piece of memory, which changes hands without a copy. */
export function packBatch(writes: readonly Write[]): { calls: unknown[]; payloads: ArrayBuffer } {
  let size = 0
  for (const { octets } of writes) size += octets
  // Slow means of its own, and unsafe that it is not cleared first: all of it is written.
  const bytes = Buffer.allocUnsafeSlow(size)
  let at = 0
  const calls = writes.map(({ call, payload, octets }) => {
    const offset = at
    for (const part of payload) {
      bytes.set(part, at)
      at += part.length
    }
    return { ...call, offset, octets }
  })
  return { calls: packCalls(calls), payloads: bytes.buffer as ArrayBuffer }
}
