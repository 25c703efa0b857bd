/**
 * From the octets of a query to those of its answer: what is wrong with it, whether its client is within its limits, and which prepared answer it gets.
 * This is the hot path, and `write-answer.ts` the other half of it; `answer-signed.ts` is for secondaries. Used by the UDP and
 * the TCP server. RFC 6891, RFC 7873, RFC 8906, RFC 9619.
 */

import { type IpAddress, ipBytes } from '../../base/ip.ts'
import { classCodes, metaTypeCodes, rcodes, typeCodes } from '../types.ts'
import { createSignedAnswerer, type SignedAnswerDeps } from './answer-signed.ts'
import type { Cookies } from './cookies.ts'
import { createQuery, type Query, readQuery, type Verdict } from './query.ts'
import type { LimitedKind } from './rate-limit.ts'
import { type AnswerCounts, createAnswerWriter, tcFlag } from './write-answer.ts'
import type { Zones } from './zones.ts'

export interface Answerer {
  /**
   * Writes the answer to a query that came over UDP, at most as long as the query and `udpBytes` allow.
   * @param address  the client's, as text
   * @returns the octets written; 0: nothing is to be sent
   */
  overUdp(query: Uint8Array, address: string, out: Buffer): number
  /** The same over TCP, where nothing is limited. @param out  65,535 octets */
  overTcp(query: Uint8Array, address: string, out: Buffer): number
  readonly counts: AnswerCounts
}

export interface AnswererDeps extends SignedAnswerDeps {
  readonly zones: Zones
  /** None: cookies are ignored. */
  readonly cookies: Cookies | undefined
  /** Whether a cookie without our part is answered with BADCOOKIE always, and not only beyond the rate limit. */
  readonly requireCookies: boolean
  /** The largest UDP answer, 512–4096 octets. */
  readonly udpBytes: number
}

/** RFC 7873 §8. */
const badCookie = 23
const ixfrType = 251
const axfrType = 252

/** One for each socket's thread of work: nothing in it is shared with another call in progress. */
export function createAnswerer(deps: AnswererDeps): Answerer {
  const { zones, limiter, cookies } = deps
  const query = createQuery()
  const counts: AnswerCounts = {
    ...{ positive: 0, referral: 0, 'no-data': 0, 'no-such-name': 0, refused: 0 },
    ...{ error: 0, truncated: 0, limited: 0, dropped: 0 },
  }

  const writer = createAnswerWriter(query, counts, deps.udpBytes)
  const { start, write, error, finish, roomFor } = writer
  const answerSigned = createSignedAnswerer(query, writer, counts, deps, answer)

  /** @param vouched  octets to leave for a signature, once the query's own was found good; else −1 */
  function answer(bytes: Uint8Array, address: string, out: Buffer, isTcp: boolean, vouched = -1): number {
    const verdict = readQuery(bytes, query, zones.hash)
    if (verdict === 'drop') {
      counts.dropped++
      return 0
    }
    if (query.isSigned && verdict !== 'malformed') return answerSigned(bytes, address, out, isTcp)
    const cookie = judgeCookie(bytes, address)
    const rcode = errorOf(query, verdict, isTcp)
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

  function judgeCookie(bytes: Uint8Array, address: string) {
    if (!cookies || query.cookieBytes === 0) return undefined
    const { cookieAt, cookieBytes } = query
    const cookie = Buffer.from(bytes.buffer, bytes.byteOffset + cookieAt, cookieBytes)
    return cookies.judge(cookie, ipBytes(address as IpAddress))
  }

  return {
    overUdp: (bytes, address, out) => answer(bytes, address, out, false),
    overTcp: (bytes, address, out) => answer(bytes, address, out, true),
    counts,
  }
}

/** What is wrong with it, whatever it asks for. */
function errorOf(query: Query, verdict: Verdict, isTcp: boolean): number {
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
