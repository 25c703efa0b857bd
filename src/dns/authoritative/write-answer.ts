/**
 * Writes answers: a prepared one is copied behind the question, and the header, moved pointers and the OPT are filled in. Half of the hot path; used by
 * `answer.ts`, with the query that it has read. RFC 1035 §4, RFC 6891.
 */
import { metaTypeCodes, rcodes } from '../types.ts'
import type { Prepared } from './prepared.ts'
import type { Query } from './query.ts'

/** Since the start. */
export interface AnswerCounts {
  /** Answers sent, by what they said. */
  positive: number
  referral: number
  'no-data': number
  'no-such-name': number
  refused: number
  /** FORMERR, NOTIMP, BADVERS, BADCOOKIE. */
  error: number
  /** Beyond the rate limit: sent as TC, and not sent. */
  truncated: number
  limited: number
  /** No queries at all. */
  dropped: number
}

export interface AnswerWriter {
  /** Header and question, as they came. @returns where they end */
  start(bytes: Uint8Array, out: Buffer, end: number): number
  /** @param most  octets in all but the OPT. @returns the octets written, as those below */
  write(bytes: Uint8Array, out: Buffer, prepared: Prepared, most: number, cookie: Buffer | undefined): number
  /** Header, question where it could be read, and OPT. */
  error(bytes: Uint8Array, out: Buffer, rcode: number, cookie: Buffer | undefined): number
  /**
   * Fills in the header and appends the OPT.
   * @param flags  AA and TC
   * @param additionals  undefined: the message has no records, else those beside the OPT
   */
  finish(
    out: Buffer,
    end: number,
    flags: number,
    rcode: number,
    cookie: Buffer | undefined,
    additionals?: number,
  ): number
  /** The octets for everything but the OPT. */
  roomFor(isTcp: boolean, cookie: Buffer | undefined): number
}

export const optBytes = 11
export const tcFlag = 0x200

/**
 * @param query  as it was read last, for every call
 * @param udpBytes  the largest UDP answer, 512–4096 octets
 */
export function createAnswerWriter(query: Query, counts: AnswerCounts, udpBytes: number): AnswerWriter {
  function start(bytes: Uint8Array, out: Buffer, end: number): number {
    out.set(end === bytes.length ? bytes : bytes.subarray(0, end))
    return end
  }

  function write(bytes: Uint8Array, out: Buffer, prepared: Prepared, most: number, cookie: Buffer | undefined): number {
    const { body, requiredEnd, optional } = prepared
    const questionEnd = start(bytes, out, query.questionEnd)
    const room = most - questionEnd
    counts[prepared.kind]++
    if (requiredEnd > room) {
      return finish(out, questionEnd, prepared.flags | tcFlag, prepared.rcode, cookie)
    }
    let end = body.length
    let last = optional.length - 1
    // RFC 2181 §9: what is only additional is left out without a word, whole sets of it.
    if (end > room) {
      while (last >= 0 && (optional[last]?.end ?? 0) > room) last--
      end = optional[last]?.end ?? requiredEnd
    }
    const additionals = optional[last]?.additionals ?? prepared.requiredAdditionals
    body.copy(out, questionEnd, 0, end)
    const shift = query.name.end - 12 - prepared.nameOctets
    if (shift !== 0) movePointers(out, questionEnd, end, prepared.pointers, shift)
    out.writeUInt16BE(prepared.answers, 6)
    out.writeUInt16BE(prepared.authorities, 8)
    return finish(out, questionEnd + end, prepared.flags, prepared.rcode, cookie, additionals)
  }

  function roomFor(isTcp: boolean, cookie: Buffer | undefined): number {
    const edns = query.hasEdns ? optBytes + (cookie ? 4 + cookie.length : 0) : 0
    if (isTcp) return 65_535 - edns
    // RFC 6891 §6.2.3: less than 512 means 512.
    const most = query.hasEdns ? Math.max(512, Math.min(query.udpBytes, udpBytes)) : 512
    return most - edns
  }

  function error(bytes: Uint8Array, out: Buffer, rcode: number, cookie: Buffer | undefined): number {
    if (rcode === rcodes.refused) counts.refused++
    else counts.error++
    // RFC 8906 §3.1.4: of an unknown opcode, only the header is known.
    const hasQuestion = rcode !== rcodes.notImp && rcode !== rcodes.formErr
    const end = start(bytes, out, hasQuestion ? query.questionEnd : 12)
    return finish(out, end, 0, rcode, cookie)
  }

  function finish(
    out: Buffer,
    end: number,
    flags: number,
    rcode: number,
    cookie: Buffer | undefined,
    additionals?: number,
  ): number {
    // Opcode and RD are copied, and so is CD (RFC 4035 §3.1.6); RA, Z and AD are not.
    out[2] = 0x80 | ((out[2] as number) & 0x79) | (flags >> 8)
    out[3] = ((out[3] as number) & 0x10) | (rcode & 15)
    out[4] = 0
    out[5] = end === 12 ? 0 : 1
    if (additionals === undefined) out.fill(0, 6, 10)
    out.writeUInt16BE((additionals ?? 0) + (query.hasEdns ? 1 : 0), 10)
    return query.hasEdns ? writeOpt(out, end, rcode >> 4, cookie) : end
  }

  function writeOpt(out: Buffer, start: number, rcodeHigh: number, cookie: Buffer | undefined): number {
    const [sizeHigh, sizeLow] = [udpBytes >> 8, udpBytes & 255]
    // RFC 3225 §3: DO is copied; other flags are zero (RFC 6891 §6.1.4). The version is ours: 0.
    const dnssecOk = query.dnssecOk ? 0x80 : 0
    const opt = [0, 0, metaTypeCodes.OPT, sizeHigh, sizeLow, rcodeHigh, 0, dnssecOk, 0, 0, cookie ? 28 : 0]
    let at = start
    for (const octet of opt) out[at++] = octet
    if (!cookie) return at
    for (const octet of [0, 10, 0, cookie.length]) out[at++] = octet
    out.set(cookie, at)
    return at + cookie.length
  }

  return { start, write, error, finish, roomFor }
}

/** Pointers behind the question stand for places that move with its length. */
function movePointers(out: Buffer, start: number, end: number, pointers: readonly number[], shift: number): void {
  for (const place of pointers) {
    const at = start + place
    if (at + 2 <= start + end) out.writeUInt16BE(out.readUInt16BE(at) + shift, at)
  }
}
