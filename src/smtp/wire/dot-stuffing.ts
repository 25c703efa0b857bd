/**
 * Content → what DATA carries: a dot more on each line that starts with one, and the lone dot that ends it (RFC 5321 §4.5.2). Takes
 * canonical content (lines end in CRLF only) in blocks cut anywhere. Used by `smtp/client`; the server's way back is in its own parser.
 */
import type { Scratch } from './scratch.ts'

/** The end of DATA behind content that ends in CRLF. */
const finalDot: Buffer = Buffer.from('.\r\n')

/**
 * All of a small message in one buffer, stuffed, the dot behind it: one write, most often one segment.
 * @param parts  the content in order, as it would be read without cuts
 * @param scratch  where it is put together; what comes back lies there most often
 */
export function stuffWhole(parts: readonly Buffer[], scratch: Scratch): Buffer {
  let length = 0
  for (const part of parts) length += part.length
  const plain = scratch.take(length + endLength)
  let at = 0
  for (const part of parts) at += part.copy(plain, at)
  const first = firstDot(plain.subarray(0, length), atLineStart)
  if (first < 0) return plain.subarray(0, putEnd(plain, length))

  const stuffed = Buffer.allocUnsafe(worstLength(length, first) + endLength)
  return stuffed.subarray(0, putEnd(stuffed, stuffFrom(plain, length, first, stuffed)))
}

/** The same for content that comes block by block. */
export class DotStuffer {
  #state: LineState = atLineStart

  /** @returns the block itself where nothing is to be added */
  stuff(block: Buffer): Buffer {
    if (block.length === 0) return block
    const first = firstDot(block, this.#state)
    this.#state = stateBehind(block, this.#state)
    if (first < 0) return block
    const stuffed = Buffer.allocUnsafe(worstLength(block.length, first))
    return stuffed.subarray(0, stuffFrom(block, block.length, first, stuffed))
  }

  /** What ends DATA behind the blocks: the dot, with a CRLF in front where the content ended without one. */
  end(): Buffer {
    return this.#state === atLineStart ? finalDot : crlfDot
  }
}

/** What stands in front of the next octet. */
type LineState = 0 | 1 | 2
const inLine: LineState = 0
const behindCr: LineState = 1
const atLineStart: LineState = 2

const crlfDot = Buffer.from('\r\n.\r\n')
const endLength = crlfDot.length
const dot = 46
const cr = 13
const lf = 10

/** Where the first dot at the start of a line stands, or -1. */
function firstDot(block: Buffer, state: LineState): number {
  if (state === atLineStart && block[0] === dot) return 0
  if (state === behindCr && block[0] === lf && block[1] === dot) return 1
  const found = block.indexOf('\r\n.', 0, 'latin1')
  return found < 0 ? -1 : found + 2
}

function stateBehind(block: Buffer, before: LineState): LineState {
  const last = block[block.length - 1]
  if (last === cr) return behindCr
  if (last !== lf) return inLine
  const isCrlf = block.length > 1 ? block[block.length - 2] === cr : before === behindCr
  return isCrlf ? atLineStart : inLine
}

/** At most every third octet from the first dot on starts a line with a dot. */
const worstLength = (length: number, first: number) => length + Math.ceil((length - first) / 3) + 1

/** Copies `source` with a dot put before the one at `first`, which starts a line, and before each that follows CRLF behind it. */
function stuffFrom(source: Buffer, length: number, first: number, target: Buffer): number {
  let at = source.copy(target, 0, 0, first)
  let state: LineState = atLineStart
  for (let index = first; index < length; index++) {
    const octet = source[index] as number
    if (state === atLineStart && octet === dot) target[at++] = dot
    target[at++] = octet
    if (octet === cr) state = behindCr
    else state = octet === lf && state === behindCr ? atLineStart : inLine
  }
  return at
}

/** Puts the end of DATA behind `length` octets of content; the buffer has room for it. */
function putEnd(buffer: Buffer, length: number): number {
  const endsInCrlf = length === 0 || (length > 1 && buffer[length - 2] === cr && buffer[length - 1] === lf)
  return length + (endsInCrlf ? finalDot : crlfDot).copy(buffer, length)
}
