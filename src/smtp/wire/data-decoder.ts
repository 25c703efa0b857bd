/**
 * What follows DATA → canonical content (`Body` in `mail/message.ts`): dots unstuffed, lines ended by CRLF only. Called by
 * `server/take-body.ts` for each chunk, however the peer cuts it, with the same result.
 *
 * The only end is CRLF.CRLF (RFC 5321 §4.1.1.4). What another server might take for an end is never passed on:
 *   - bare LF in text becomes CRLF, or is a fault under `bareNewline: 'reject'`;
 *   - bare CR, NUL, and a line that holds a dot alone and has not CRLF on both sides are faults. After a fault nothing comes out any
 *     more, and everything to the true end is eaten: nobody may read the rest of a message as commands.
 * Dots are unstuffed behind CRLF only. Behind a bare LF a first dot stays: a sender whose lines end in CRLF did not stuff there, and taking
 * it away would make the dot line of LF..CRLF that the next server ends at.
 */

import { isAscii } from 'node:buffer'
import { Scratch } from './scratch.ts'

export type DataFault = 'bare-lf' | 'bare-cr' | 'nul' | 'dot-line'

export interface DataDecoderOptions {
  readonly bareNewline: 'repair' | 'reject'
}

// Where we are in a line.
const inText = 0
/** Behind a CR in text. */
const afterCr = 1
/** At the start of a line: behind CRLF, or behind the CRLF of the DATA command itself. */
const atStart = 2
/** At the start of a line that a bare LF began. */
const atBareStart = 3
/** Behind a first dot; then behind that dot and CR. */
const afterDot = 4
const afterDotCr = 5
const afterBareDot = 6
const afterBareDotCr = 7

const lf = 10
const cr = 13
const dot = 46
const nothing = Buffer.alloc(0)

export class DataDecoder {
  /** Octets of canonical content so far. */
  size = 0
  has8bit = false
  /** The first thing that makes the content unfit, or undefined. */
  fault: DataFault | undefined
  /** CRLF.CRLF was read. */
  isEnded = false
  /** Where in the last chunk the decoder stopped: its length, or right behind CRLF.CRLF. */
  consumed = 0

  readonly #repairs: boolean
  readonly #scratch: Scratch
  #state: number = atStart
  /** In the chunk at hand: the end of what was copied, and where that was copied to; undefined while nothing had to be. */
  #copiedTo = 0
  #out: Buffer | undefined
  #outLength = 0
  /** Behind a first dot: where in the chunk the octets begin that are not passed on, the dot or what follows one of an earlier chunk. */
  #dotAt = 0

  /** @param scratch  where a chunk that changes is put together; several decoders may share one, as their output is used at once */
  constructor(options: DataDecoderOptions, scratch: Scratch = new Scratch()) {
    this.#repairs = options.bareNewline === 'repair'
    this.#scratch = scratch
  }

  /**
   * @returns the canonical octets that this chunk brings, perhaps none: a part of the chunk itself, or of the scratch, so they are to be
   * used before anybody decodes again. `consumed` says how far it got.
   */
  decode(chunk: Buffer): Buffer {
    this.#copiedTo = 0
    this.#out = undefined
    this.#outLength = 0
    this.#dotAt = 0
    this.consumed = this.#scan(chunk)
    if (this.fault !== undefined) return nothing
    if (!this.has8bit) this.has8bit = !isAscii(this.consumed < chunk.length ? chunk.subarray(0, this.consumed) : chunk)
    const isHeldBack = this.isEnded || this.#state === afterDot || this.#state === afterDotCr
    const output = this.#output(chunk, isHeldBack ? this.#dotAt : this.consumed)
    this.size += output.length
    return output
  }

  /** Goes over the octets. @returns where it stopped */
  #scan(chunk: Buffer): number {
    const length = chunk.length
    const words = wordsOf(chunk)
    let state = this.#state
    let at = 0
    while (at < length && !this.isEnded) {
      if (state === inText) {
        at = plainEnd(chunk, words, at)
        if (at >= length) break
        // A line end in one step, where the octet behind it is here and begins a line of plain text.
        if (chunk[at] === cr && chunk[at + 1] === lf && at + 2 < length) {
          at += 2
          if ((chunk[at] as number) > cr && chunk[at] !== dot) continue
          state = atStart
        }
      }
      state = this.#step(chunk, at, chunk[at] as number, state)
      at++
    }
    this.#state = state
    return at
  }

  /** One octet that is not plain text in the middle of a line. @returns the state behind it */
  #step(chunk: Buffer, at: number, octet: number, state: number): number {
    if (octet === 0) this.fault ??= 'nul'
    switch (state) {
      case afterCr:
      case afterBareDotCr:
        if (octet === lf) return this.#lineEnd(state)
        this.fault ??= 'bare-cr'
        return textOr(octet)
      case afterDotCr:
        if (octet === lf) {
          this.isEnded = true
          return atStart
        }
        this.fault ??= 'bare-cr'
        return textOr(octet)
      case atStart:
        if (octet !== dot) break
        // RFC 5321 §4.5.2: a first dot goes, whether more follows or it is the end.
        this.#dotAt = at
        return afterDot
      case atBareStart:
        if (octet === dot) return afterBareDot
        break
      case afterDot:
        if (octet === cr) return afterDotCr
        if (octet === lf)
          this.fault ??= 'dot-line' // CRLF . LF
        else if (this.#dotAt < at) this.#copy(chunk, this.#dotAt, at)
        break
      case afterBareDot:
        if (octet === cr) return afterBareDotCr
        if (octet === lf) this.fault ??= 'dot-line' // LF . LF
        break
    }
    if (octet === lf) return this.#bareLf(chunk, at)
    return textOr(octet)
  }

  #lineEnd(state: number): number {
    if (state === afterBareDotCr) this.fault ??= 'dot-line' // LF . CRLF
    return atStart
  }

  #bareLf(chunk: Buffer, at: number): number {
    if (!this.#repairs) this.fault ??= 'bare-lf'
    this.#copy(chunk, at, at)
    if (this.#out && this.fault === undefined) this.#out[this.#outLength++] = cr
    return atBareStart
  }

  /** Copies what stands before `to` and was not copied yet, and goes on at `next`. */
  #copy(chunk: Buffer, to: number, next: number): void {
    if (this.fault !== undefined) return
    // A chunk of LFs alone grows to twice its length.
    this.#out ??= this.#scratch.take(chunk.length * 2)
    this.#outLength += copyRun(chunk, this.#copiedTo, to, this.#out, this.#outLength)
    this.#copiedTo = next
  }

  #output(chunk: Buffer, end: number): Buffer {
    if (this.#out === undefined) return end === chunk.length ? chunk : chunk.subarray(0, end)
    this.#outLength += copyRun(chunk, this.#copiedTo, end, this.#out, this.#outLength)
    return this.#out.subarray(0, this.#outLength)
  }
}

/**
 * Where the first octet up to CR stands, or the length: everything above is plain text. Nearly every octet is looked at here alone, and as a word
 * of four: that takes half as long as four octets one by one.
 */
function plainEnd(chunk: Buffer, words: Int32Array, start: number): number {
  const length = chunk.length
  let at = start
  while ((at & 3) !== 0 && at < length && (chunk[at] as number) > cr) at++
  if ((at & 3) === 0) {
    let word = at >> 2
    while (word < words.length && isPlain(words[word] as number)) word++
    at = word << 2
  }
  while (at < length && (chunk[at] as number) > cr) at++
  return at
}

/**
 * Whether each of four octets is above CR: then it is 128 or more, or adding 114 makes it so; 127 and 114 are 241, so nothing is carried from one
 * octet into the next. The order of the octets does not matter.
 */
const isPlain = (word: number): boolean => ((((word & 0x7f7f7f7f) + 0x72727272) | word) & 0x80808080) === allHigh
const allHigh = 0x80808080 | 0

/** The octets four by four; none where they do not lie as the machine reads words, so that they are read one by one. */
const wordsOf = (chunk: Buffer): Int32Array =>
  (chunk.byteOffset & 3) === 0 ? new Int32Array(chunk.buffer, chunk.byteOffset, chunk.length >> 2) : noWords
const noWords = new Int32Array(0)

/** Where every line has to be mended the runs are of a few octets, and calling out of JavaScript costs more than the copying. */
function copyRun(from: Buffer, start: number, end: number, to: Buffer, at: number): number {
  if (end - start > shortRun) return from.copy(to, at, start, end)
  for (let next = start; next < end; next++) to[at + next - start] = from[next] as number
  return Math.max(0, end - start)
}

const shortRun = 48

const textOr = (octet: number): number => (octet === cr ? afterCr : inText)
