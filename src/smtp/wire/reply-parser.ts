/**
 * Octets from a server → replies (RFC 5321 §4.2, RFC 2034). Bounded: a server that never ends a line or a reply is told apart
 * from one that is slow. Cuts between chunks change nothing. Called by `smtp/client`, a parser a session.
 */
import type { Reply } from '../../mail/reply.ts'

/** Octets. RFC 5321 §4.5.3.1.5 says 512 a line; servers exist that say more. */
export const maxReplyLine = 8 * 1024
/** Octets of all lines of one reply. */
export const maxReply = 64 * 1024

export type ParsedReply =
  | { readonly kind: 'reply'; readonly reply: Reply }
  /** No reply, or one that is longer than a reply may be. The parser says so from then on: its place in the stream is lost. */
  | { readonly kind: 'garbage'; readonly why: string }

export class ReplyParser {
  #chunk = nothing
  #at = 0
  /** The start of a line whose end has not come yet; grows by doubling, so that 1-octet chunks cost no more than one big one. */
  #partial = nothing
  #partialLength = 0
  #code = 0
  #enhanced: string | undefined
  #text: string[] = []
  #octets = 0
  #garbage: ParsedReply | undefined

  /**
   * Takes the next chunk, once `next` has said that it needs one, and brings what `next` would. What no reply has used is copied: the room of the
   * chunk may serve others from then on.
   */
  take(chunk: Buffer): ParsedReply | undefined {
    this.#chunk = this.#at < this.#chunk.length ? Buffer.concat([this.#chunk.subarray(this.#at), chunk]) : chunk
    this.#at = 0
    const parsed = this.next()
    this.#chunk = this.#at < this.#chunk.length ? Buffer.from(this.#chunk.subarray(this.#at)) : nothing
    this.#at = 0
    return parsed
  }

  /** Whether octets are here that no reply has used: behind the last reply that was asked for, those are unasked. */
  get hasInput(): boolean {
    return this.#at < this.#chunk.length || this.#partialLength > 0 || this.#text.length > 0
  }

  /** Forgets what came and was not used (RFC 3207 §4.2). */
  discardInput(): void {
    this.#chunk = nothing
    this.#at = 0
    this.#partialLength = 0
    this.#text = []
    this.#octets = 0
  }

  /** The next whole reply, or undefined where more octets are needed. */
  next(): ParsedReply | undefined {
    if (this.#garbage) return this.#garbage
    for (;;) {
      const end = this.#chunk.indexOf(lineFeed, this.#at)
      const stop = end < 0 ? this.#chunk.length : end
      const length = this.#partialLength + stop - this.#at
      if (length > maxReplyLine) return this.#fail(`a line of more than ${maxReplyLine} octets`)
      if (end < 0) {
        this.#keepPartial(length)
        return undefined
      }
      const line = this.#lineUpTo(end)
      this.#at = end + 1
      this.#octets += length + 1
      if (this.#octets > maxReply) return this.#fail(`a reply of more than ${maxReply} octets`)
      const parsed = this.#read(line)
      if (parsed) return parsed
    }
  }

  #keepPartial(length: number): void {
    if (length > this.#partial.length) {
      const grown = Buffer.allocUnsafe(Math.max(256, length * 2))
      this.#partial.copy(grown, 0, 0, this.#partialLength)
      this.#partial = grown
    }
    this.#chunk.copy(this.#partial, this.#partialLength, this.#at)
    this.#partialLength = length
    this.#chunk = nothing
    this.#at = 0
  }

  #lineUpTo(end: number): string {
    // The CR in front of the LF goes; a server that ends lines with LF alone is understood.
    if (this.#partialLength === 0) {
      const stop = end > this.#at && this.#chunk[end - 1] === carriageReturn ? end - 1 : end
      return this.#chunk.toString('latin1', this.#at, stop)
    }
    const line =
      this.#partial.toString('latin1', 0, this.#partialLength) + this.#chunk.toString('latin1', this.#at, end)
    this.#partialLength = 0
    return line.endsWith('\r') ? line.slice(0, -1) : line
  }

  /** One line of a reply. @returns the reply where this was its last line, or what is wrong with it */
  #read(line: string): ParsedReply | undefined {
    const code = codeOf(line)
    const separator = line.charCodeAt(3)
    // RFC 5321 §4.2: three digits, then a blank, a hyphen where more lines follow, or nothing.
    if (code === 0 || !(separator === blank || separator === hyphen || line.length === 3))
      return this.#fail(`no reply: ${line.slice(0, 80)}`)
    const enhanced = enhancedOf(line, code)
    const text = line.slice(enhanced === undefined ? 4 : 5 + enhanced.length)
    if (this.#text.length === 0) {
      this.#code = code
      this.#enhanced = enhanced
      if (separator !== hyphen) {
        this.#octets = 0
        return { kind: 'reply', reply: { code, enhanced, text: [text] } }
      }
    } else if (code !== this.#code) {
      // RFC 5321 §4.2.1: the same code on every line.
      return this.#fail(`a reply with the codes ${this.#code} and ${code}`)
    }
    this.#text.push(text)
    if (separator === hyphen) return undefined
    const reply = { code, enhanced: this.#enhanced, text: this.#text }
    this.#text = []
    this.#octets = 0
    return { kind: 'reply', reply }
  }

  #fail(why: string): ParsedReply {
    this.discardInput()
    this.#partial = nothing
    this.#garbage = { kind: 'garbage', why }
    return this.#garbage
  }
}

const nothing: Buffer = Buffer.alloc(0)
const lineFeed = 10
const carriageReturn = 13
const blank = 32
const hyphen = 45

/** 200–599, or 0 where the line starts with no such code. */
function codeOf(line: string): number {
  const first = line.charCodeAt(0) - 48
  const second = line.charCodeAt(1) - 48
  const third = line.charCodeAt(2) - 48
  const isCode = first >= 2 && first <= 5 && second >= 0 && second <= 9 && third >= 0 && third <= 9
  return isCode ? first * 100 + second * 10 + third : 0
}

/** RFC 2034 §4: class, subject and detail, the class being that of the code. Most text starts with no digit and is through at once. */
function enhancedOf(line: string, code: number): string | undefined {
  if (
    line.charCodeAt(4) !== line.charCodeAt(0) ||
    line.charCodeAt(5) !== 46 ||
    code < 200 ||
    (code >= 300 && code < 400)
  )
    return undefined
  const subjectEnd = digitsEnd(line, 6)
  if (subjectEnd === 6 || line.charCodeAt(subjectEnd) !== 46) return undefined
  const end = digitsEnd(line, subjectEnd + 1)
  if (end === subjectEnd + 1 || (end < line.length && line.charCodeAt(end) !== blank)) return undefined
  return line.slice(4, end)
}

/** Where up to three digits end. */
function digitsEnd(line: string, start: number): number {
  let at = start
  while (at < start + 3 && line.charCodeAt(at) >= 48 && line.charCodeAt(at) <= 57) at++
  return at
}
