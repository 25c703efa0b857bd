/**
 * Octets → command lines, for the server's session. Only CRLF ends a line (RFC 5321 §2.3.8): a bare LF never makes two commands
 * of one, it makes one that is refused. Bounded: what is kept of an unfinished line is never more than the limit, and each octet is
 * looked at once, however the peer cuts its segments.
 */

/** A line that is no command. Told as soon as it is certain; the rest of that line, to its CRLF, is then skipped. */
export type LineProblem =
  | { readonly kind: 'too-long' }
  | { readonly kind: 'bare-lf' }
  /** A TLS handshake record where a command should begin. Nothing behind it can be a line. */
  | { readonly kind: 'tls-hello' }

/** The octets as latin1, one character each, without CRLF; may hold any octet but LF. */
export type Line = string | LineProblem

const tooLong: LineProblem = { kind: 'too-long' }
const bareLf: LineProblem = { kind: 'bare-lf' }
const tlsHello: LineProblem = { kind: 'tls-hello' }

const lf = 10
const cr = 13
/** ContentType handshake (RFC 8446 §5.1), and as SYN no octet that any command begins with. */
const tlsHandshake = 0x16
const nothing = Buffer.alloc(0)

export class LineReader {
  readonly #maxOctets: number
  #chunk: Buffer = nothing
  #at = 0
  /** The begin of a line whose end has not come; allocated when first needed. */
  #kept: Buffer | undefined
  #keptLength = 0
  #isSkipping = false
  /** While skipping: whether the last octet seen was CR. */
  #sawCr = false

  /** @param maxOctets  of a line with its CRLF (RFC 5321 §4.5.3.1.4 asks for 512 at least) */
  constructor(maxOctets: number) {
    this.#maxOctets = maxOctets
  }

  /** Whether nothing is left, not even the begin of a line. */
  get isEmpty(): boolean {
    return this.#at >= this.#chunk.length && this.#keptLength === 0
  }

  /** The octets behind the last line. */
  get rest(): Buffer {
    return this.#at >= this.#chunk.length ? nothing : this.#chunk.subarray(this.#at)
  }

  /** The last octets of those, as latin1, and of a line that has begun: twice so many at most. */
  tail(most: number): string {
    const kept = this.#kept?.subarray(0, this.#keptLength).subarray(-most).toString('latin1') ?? ''
    return kept + this.rest.subarray(-most).toString('latin1')
  }

  /** Gives the next octets. Only when `next` has said that there is no line, or with what stands behind a message. */
  feed(chunk: Buffer): void {
    this.#chunk = this.#at < this.#chunk.length ? Buffer.concat([this.rest, chunk]) : chunk
    this.#at = 0
  }

  /** Forgets everything (RFC 3207 §4.2: what came before the handshake is thrown away). */
  clear(): void {
    this.#chunk = nothing
    this.#at = 0
    this.#keptLength = 0
    this.#isSkipping = false
  }

  /** The next line that is there, or undefined where more octets are needed. */
  next(): Line | undefined {
    if (this.#isSkipping && !this.#skip()) return undefined
    const chunk = this.#chunk
    const start = this.#at
    if (start >= chunk.length) return undefined
    if (this.#keptLength === 0 && chunk[start] === tlsHandshake) return tlsHello
    const end = chunk.indexOf(lf, start)
    if (end < 0) return this.#keep()
    this.#at = end + 1
    const length = this.#keptLength + end - start
    const isCrlf = (end > start ? chunk[end - 1] : this.#kept?.[this.#keptLength - 1]) === cr && length > 0
    if (length >= this.#maxOctets || !isCrlf) {
      this.#keptLength = 0
      this.#isSkipping = !isCrlf
      this.#sawCr = false
      return length >= this.#maxOctets ? tooLong : bareLf
    }
    if (this.#keptLength === 0) return chunk.toString('latin1', start, end - 1)
    return this.#join(start, end)
  }

  /** Puts what was kept before the rest of the line, less its CR (which may be the last octet kept). */
  #join(start: number, end: number): string {
    const text =
      (this.#kept ?? nothing).toString('latin1', 0, this.#keptLength) + this.#chunk.toString('latin1', start, end)
    this.#keptLength = 0
    return text.slice(0, -1)
  }

  #keep(): LineProblem | undefined {
    const chunk = this.#chunk
    const length = chunk.length - this.#at
    const start = this.#at
    this.#at = chunk.length
    if (this.#keptLength + length >= this.#maxOctets) {
      this.#keptLength = 0
      this.#isSkipping = true
      this.#sawCr = chunk[chunk.length - 1] === cr
      return tooLong
    }
    this.#kept ??= Buffer.allocUnsafeSlow(this.#maxOctets)
    chunk.copy(this.#kept, this.#keptLength, start)
    this.#keptLength += length
    return undefined
  }

  /** Eats to the next CRLF. @returns whether it was there */
  #skip(): boolean {
    const chunk = this.#chunk
    while (this.#at < chunk.length) {
      const end = chunk.indexOf(lf, this.#at)
      if (end < 0) break
      const isCrlf = end > this.#at ? chunk[end - 1] === cr : this.#sawCr
      this.#sawCr = false
      this.#at = end + 1
      if (isCrlf) {
        this.#isSkipping = false
        return true
      }
    }
    if (this.#at < chunk.length) this.#sawCr = chunk[chunk.length - 1] === cr
    this.#at = chunk.length
    return false
  }
}
