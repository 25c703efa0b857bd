/**
 * Counts the servers that a message has been through, to know a loop (RFC 5321 §6.3): its `Received:` fields, and those of them that
 * we wrote. Reads canonical content, in the header alone and in its first 256 KiB, and decodes nothing but the fields that it counts.
 */

const maxHeaderOctets = 256 * 1024
/** Of a `Received:` field; our name stands near its begin, in the first "by". */
const maxFieldOctets = 2048
const lf = 10
const nothing = Buffer.alloc(0)

export class HopCounter {
  /** `Received:` fields so far. */
  received = 0
  /** Those among them that say "by" and our name. */
  ours = 0

  readonly #by: string
  #left = maxHeaderOctets
  #isInHeader = true
  /** The begin of a line whose end is in the next piece. */
  #kept: Buffer = nothing
  /** The `Received:` field at hand, unfolded; undefined within any other. */
  #field: string | undefined

  constructor(hostname: string) {
    this.#by = ` by ${hostname.toLowerCase()}`
  }

  /** Takes the next octets of canonical content; nothing of them is kept but a copied begin of a line. */
  push(piece: Buffer): void {
    let at = 0
    while (this.#isInHeader && at < piece.length) {
      const end = piece.indexOf(lf, at)
      const stop = end < 0 ? piece.length : end + 1
      this.#left -= stop - at
      if (end < 0) this.#keep(piece.subarray(at))
      else if (this.#kept.length === 0) this.#line(piece, at, stop)
      else {
        this.#keep(piece.subarray(at, stop))
        this.#line(this.#kept, 0, this.#kept.length)
        this.#kept = nothing
      }
      at = stop
      if (this.#left <= 0) this.end()
    }
  }

  /** The content has ended: counts a field that was still open. */
  end(): void {
    this.#close()
    this.#isInHeader = false
    this.#kept = nothing
  }

  #keep(octets: Buffer): void {
    const room = maxFieldOctets - this.#kept.length
    if (room > 0) this.#kept = Buffer.concat([this.#kept, octets.subarray(0, room)])
  }

  #line(source: Buffer, start: number, end: number): void {
    const first = source[start]
    if (first === 0x20 || first === 0x09) {
      // RFC 5322 §2.2.3: a folded line goes on.
      if (this.#field !== undefined && this.#field.length < maxFieldOctets)
        this.#field += source.toString('latin1', start, Math.min(end, start + maxFieldOctets))
      return
    }
    this.#close()
    if (first === 0x0d || first === lf) this.end()
    else if (first === 0x52 || first === 0x72)
      this.#open(source.toString('latin1', start, Math.min(end, start + maxFieldOctets)))
  }

  #open(line: string): void {
    // RFC 5322 §4.5: blanks before the colon are obsolete, and read.
    if (!/^received[ \t]*:/i.test(line)) return
    this.received++
    this.#field = line
  }

  #close(): void {
    if (this.#field === undefined) return
    const field = this.#field.toLowerCase().replace(/[\s():;]+/g, ' ')
    this.#field = undefined
    if (field.includes(`${this.#by} `) || field.endsWith(this.#by)) this.ours++
  }
}
