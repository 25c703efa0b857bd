/**
 * Answers to queries that are signed with TSIG: secondaries sign what they ask, and hear an answer that is signed too. What the answer is, `answer.ts`
 * says, for which this is. RFC 8945.
 */
import type { Clock } from '../../base/clock.ts'
import { createAnswerSigner } from '../tsig/answers.ts'
import type { TsigKey } from '../tsig/key.ts'
import { type BadRequest, tsigBytes, tsigErrorAnswer, verifyRequest } from '../tsig/request.ts'
import { rcodes } from '../types.ts'
import type { Query } from './query.ts'
import type { RateLimiter } from './rate-limit.ts'
import { type AnswerCounts, type AnswerWriter, optBytes, tcFlag } from './write-answer.ts'

export interface SignedAnswerDeps {
  readonly limiter: RateLimiter
  /** Networks that are not limited. @param address  as text */
  readonly isExempt: (address: string) => boolean
  /** Those that may sign queries. */
  readonly keys: readonly TsigKey[]
  readonly clock: Clock
}

/** @param vouched  octets to leave for a signature: the query's own was found good. @returns the octets written; 0: nothing is to be sent */
export type AnswerVouched = (query: Uint8Array, address: string, out: Buffer, isTcp: boolean, vouched: number) => number

/** The longest question with the longest names of key and algorithm and every option has less; more would be work for the hash and nothing else. */
const mostSignedBytes = 1232
const tooLongToHash = { kind: 'malformed', why: 'it is longer than any signed question' } as const

/**
 * @param query  as it was read last, for every call
 * @param answer  writes what an unsigned query would be answered with
 * @returns answers a query with a TSIG (RFC 8945 §5.2), as `Answerer` does
 */
export function createSignedAnswerer(
  query: Query,
  { start, error, finish, roomFor }: AnswerWriter,
  counts: AnswerCounts,
  { limiter, isExempt, keys, clock }: SignedAnswerDeps,
  answer: AnswerVouched,
): (bytes: Uint8Array, address: string, out: Buffer, isTcp: boolean) => number {
  /**
   * RFC 8945 §5.3.1: what does not fit goes with TC and without a signature. Whoever knows no key may have forged its address, and gets no
   * more than it sent: a name that was compressed there is not here.
   */
  function mostForBad(kind: BadRequest['kind'], queryBytes: number): number {
    const most = roomFor(false, undefined) + (query.hasEdns ? optBytes : 0)
    return kind === 'bad-key' || kind === 'bad-signature' ? Math.min(most, queryBytes) : most
  }

  /**
   * The signature is looked at before anything is counted: what others send in a secondary's name must not use up what the secondary may ask. To find
   * out costs about as much as an answer does, and with a key's name that we do not know next to nothing.
   */
  return (bytes, address, out, isTcp) => {
    const nowSeconds = Math.floor(clock.now() / 1000)
    const isHashable = isTcp || bytes.length <= mostSignedBytes
    const request = isHashable ? verifyRequest(Buffer.from(bytes), keys, nowSeconds) : tooLongToHash
    const kind = request.kind === 'verified' ? 'signed' : 'error'
    if (!isTcp && limiter.count(address, kind) !== 'send' && !isExempt(address)) {
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
}
