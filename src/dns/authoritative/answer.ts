/**
 * From the octets of a query to those of its answer. This is the hot path: a prepared answer is copied behind the question, and the
 * header, moved pointers and the OPT are filled in. Used by the UDP and the TCP server. RFC 1035 §4, RFC 6891, RFC 7873, RFC 8906, RFC 9619.
 */

import type { Clock } from '../../base/clock.ts'
import { type IpAddress, ipBytes } from '../../base/ip.ts'
import { createAnswerSigner } from '../tsig/answers.ts'
import type { TsigKey } from '../tsig/key.ts'
import { type BadRequest, tsigBytes, tsigErrorAnswer, verifyRequest } from '../tsig/request.ts'
import { classCodes, metaTypeCodes, rcodes, typeCodes } from '../types.ts'
import type { Cookies } from './cookies.ts'
import type { Prepared } from './prepare.ts'
import { createQuery, readQuery, type Verdict } from './query.ts'
import type { LimitedKind, RateLimiter } from './rate-limit.ts'
import type { Zones } from './zones.ts'

export interface Answerer {
  /**
   * Writes the answer to a query that came over UDP, at most `answerBytes` of it.
   * @param address  the client's, as text
   * @returns the octets written; 0: nothing is to be sent
   */
  overUdp(query: Uint8Array, address: string, out: Buffer): number
  /** The same over TCP, where nothing is limited. @param out  65,535 octets */
  overTcp(query: Uint8Array, address: string, out: Buffer): number
  readonly counts: AnswerCounts
}

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

export interface AnswererDeps {
  readonly zones: Zones
  readonly limiter: RateLimiter
  /** Networks that are not limited. @param address  as text */
  readonly isExempt: (address: string) => boolean
  /** None: cookies are ignored. */
  readonly cookies: Cookies | undefined
  /** Whether a cookie without our part is answered with BADCOOKIE always, and not only beyond the rate limit. */
  readonly requireCookies: boolean
  /** The largest UDP answer, 512–4096 octets. */
  readonly udpBytes: number
  /** Those that may sign queries. */
  readonly keys: readonly TsigKey[]
  readonly clock: Clock
}

/** RFC 7873 §8. */
const badCookie = 23
const ixfrType = 251
const axfrType = 252
const optBytes = 11
const tcFlag = 0x200
/** The longest question with the longest names of key and algorithm and every option has less; more would be work for the hash and nothing else. */
const mostSignedBytes = 1232
const tooLongToHash = { kind: 'malformed', why: 'it is longer than any signed question' } as const

/** One for each socket's thread of work: nothing in it is shared with another call in progress. */
export function createAnswerer(deps: AnswererDeps): Answerer {
  const { zones, limiter, cookies } = deps
  const query = createQuery()
  const counts: AnswerCounts = {
    ...{ positive: 0, referral: 0, 'no-data': 0, 'no-such-name': 0, refused: 0 },
    ...{ error: 0, truncated: 0, limited: 0, dropped: 0 },
  }

  /** @param vouched  octets to leave for a signature, once the query's own was found good; else −1 */
  function answer(bytes: Uint8Array, address: string, out: Buffer, isTcp: boolean, vouched = -1): number {
    const verdict = readQuery(bytes, query, zones.hash)
    if (verdict === 'drop') {
      counts.dropped++
      return 0
    }
    if (query.isSigned && verdict !== 'malformed') return answerSigned(bytes, address, out, isTcp)
    const cookie = judgeCookie(bytes, address)
    const rcode = errorOf(verdict, isTcp)
    const isPlain = rcode === rcodes.noError && verdict === 'query'
    // RFC 1995 §2: an IXFR over UDP hears the SOA, and asks by TCP for the rest.
    const type = query.type === ixfrType ? typeCodes.SOA : query.type
    const prepared = isPlain ? zones.find(bytes, query.name, type) : undefined
    const kind: LimitedKind = prepared ? prepared.kind : 'error'
    const hasBadCookie = cookie !== undefined && !cookie.isGood
    if (!isTcp && vouched < 0 && !cookie?.isGood) {
      const limited = limiter.count(address, kind)
      if (limited !== 'send' && !deps.isExempt(address)) {
        if (limited === 'drop') {
          counts.limited++
          return 0
        }
        // RFC 7873 §5.2.3: who has half a cookie gets the other half, and is no longer limited with it. In the place of what slips through, and
        // no more often: half a cookie is easily made up, and this answer is longer than the question.
        if (hasBadCookie) return error(bytes, out, badCookie, cookie.answer)
        counts.truncated++
        return finish(out, start(bytes, out, query.questionEnd), tcFlag, rcodes.noError, undefined)
      }
    }
    if (isPlain && deps.requireCookies && hasBadCookie && !isTcp) return error(bytes, out, badCookie, cookie.answer)
    if (verdict === 'cookie-only' && rcode === rcodes.noError)
      return finish(out, start(bytes, out, 12), 0, rcodes.noError, cookie?.answer)
    if (prepared)
      return write(bytes, out, prepared, roomFor(isTcp, cookie?.answer) - Math.max(0, vouched), cookie?.answer)
    return error(bytes, out, isPlain ? rcodes.refused : rcode, cookie?.answer)
  }

  /**
   * A query with a TSIG (RFC 8945 §5.2): secondaries sign what they ask. The answer is signed too. The signature is looked at before anything is
   * counted: what others send in a secondary's name must not use up what the secondary may ask. To find out costs about as much as an answer
   * does, and with a key's name that we do not know next to nothing.
   */
  function answerSigned(bytes: Uint8Array, address: string, out: Buffer, isTcp: boolean): number {
    const nowSeconds = Math.floor(deps.clock.now() / 1000)
    const isHashable = isTcp || bytes.length <= mostSignedBytes
    const request = isHashable ? verifyRequest(Buffer.from(bytes), deps.keys, nowSeconds) : tooLongToHash
    const kind: LimitedKind = request.kind === 'verified' ? 'signed' : 'error'
    if (!isTcp && limiter.count(address, kind) !== 'send' && !deps.isExempt(address)) {
      counts.limited++
      return 0
    }
    if (request.kind === 'malformed' || request.kind === 'unsigned') return error(bytes, out, rcodes.formErr, undefined)
    let signed: Buffer
    if (request.kind === 'verified') {
      const length = answer(request.message, address, out, isTcp, tsigBytes(request.key))
      signed = createAnswerSigner(request.key, request.tsig.mac).sign(out.subarray(0, length), nowSeconds)
    } else {
      const length = error(bytes, out, rcodes.notAuth, undefined)
      signed = tsigErrorAnswer(out.subarray(0, length), request, nowSeconds)
      if (!isTcp && signed.length > mostForBad(request.kind, bytes.length))
        return finish(out, start(bytes, out, query.questionEnd), tcFlag, rcodes.notAuth, undefined)
    }
    out.set(signed)
    return signed.length
  }

  /**
   * RFC 8945 §5.3.1: what does not fit goes with TC and without a signature. Whoever knows no key may have forged its address, and gets no
   * more than it sent: a name that was compressed there is not here.
   */
  function mostForBad(kind: BadRequest['kind'], queryBytes: number): number {
    const most = roomFor(false, undefined) + (query.hasEdns ? optBytes : 0)
    return kind === 'bad-key' || kind === 'bad-signature' ? Math.min(most, queryBytes) : most
  }

  /** What is wrong with it, whatever it asks for. */
  function errorOf(verdict: Verdict, isTcp: boolean): number {
    if (verdict === 'unknown-opcode') return rcodes.notImp
    if (verdict === 'malformed') return rcodes.formErr
    // RFC 6891 §6.1.3.
    if (query.ednsVersion > 0) return rcodes.badVers
    if (verdict === 'cookie-only') return rcodes.noError
    if (query.class !== classCodes.IN) return rcodes.refused
    // We are nobody's secondary (RFC 1996 §3.10).
    if (verdict === 'notify') return rcodes.refused
    // RFC 5936 §4.2: not over UDP; over TCP the server has taken it already.
    if (query.type === axfrType) return isTcp ? rcodes.refused : rcodes.formErr
    return query.type === metaTypeCodes.OPT || query.type === metaTypeCodes.TSIG ? rcodes.formErr : rcodes.noError
  }

  function judgeCookie(bytes: Uint8Array, address: string) {
    if (!cookies || query.cookieBytes === 0) return undefined
    const { cookieAt, cookieBytes } = query
    const cookie = Buffer.from(bytes.buffer, bytes.byteOffset + cookieAt, cookieBytes)
    return cookies.judge(cookie, ipBytes(address as IpAddress))
  }

  /** Header and question, as they came. @returns where they end */
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

  /** The octets for everything but the OPT. */
  function roomFor(isTcp: boolean, cookie: Buffer | undefined): number {
    const edns = query.hasEdns ? optBytes + (cookie ? 4 + cookie.length : 0) : 0
    if (isTcp) return 65_535 - edns
    // RFC 6891 §6.2.3: less than 512 means 512.
    const most = query.hasEdns ? Math.max(512, Math.min(query.udpBytes, deps.udpBytes)) : 512
    return most - edns
  }

  /** Header, question where it could be read, and OPT. */
  function error(bytes: Uint8Array, out: Buffer, rcode: number, cookie: Buffer | undefined): number {
    if (rcode === rcodes.refused) counts.refused++
    else counts.error++
    // RFC 8906 §3.1.4: of an unknown opcode, only the header is known.
    const hasQuestion = rcode !== rcodes.notImp && rcode !== rcodes.formErr
    const end = start(bytes, out, hasQuestion ? query.questionEnd : 12)
    return finish(out, end, 0, rcode, cookie)
  }

  /**
   * Fills in the header and appends the OPT.
   * @param flags  AA and TC
   * @param additionals  undefined: the message has no records, else those beside the OPT
   */
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
    const [sizeHigh, sizeLow] = [deps.udpBytes >> 8, deps.udpBytes & 255]
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

  return {
    overUdp: (bytes, address, out) => answer(bytes, address, out, false),
    overTcp: (bytes, address, out) => answer(bytes, address, out, true),
    counts,
  }
}

/** Pointers behind the question stand for places that move with its length. */
function movePointers(out: Buffer, start: number, end: number, pointers: readonly number[], shift: number): void {
  for (const place of pointers) {
    const at = start + place
    if (at + 2 <= start + end) out.writeUInt16BE(out.readUInt16BE(at) + shift, at)
  }
}
