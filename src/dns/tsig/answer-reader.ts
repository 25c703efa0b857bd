/**
 * What comes back to a request, signed or not, message by message: ours or not, by whom, and readable. Used by the clients of dynamic update
 * and zone transfer, which judge what it says.
 */
import type { Clock } from '../../base/clock.ts'
import { decodeMessage, type Message } from '../message.ts'
import { createAnswerVerifier, type VerifiedAnswer } from './answers.ts'
import type { TsigKey } from './key.ts'
import { tsigErrors } from './record.ts'

/** What is wrong with a signature: as the server says of ours (`bad-*`), or as we find of the server's (`answer-*`). */
export type TsigProblem =
  /** The server has no such key, or has it with another algorithm. */
  | 'bad-key'
  /** The secrets differ. */
  | 'bad-signature'
  /** The clocks differ by more than the fudge. */
  | 'bad-time'
  /** The server wants more of the MAC. As we send all of it, this should not be. */
  | 'bad-truncation'
  | 'answer-unsigned'
  | 'answer-other-key'
  | 'answer-other-algorithm'
  | 'answer-bad-signature'
  | 'answer-truncated-signature'
  /** A TSIG error that has no name here. */
  | 'other'

export interface TsigFailure {
  readonly kind: 'tsig'
  readonly problem: TsigProblem
  /** With `bad-time`, where the server has said it: how far its clock is ahead of ours. */
  readonly skewSeconds: number | undefined
  /** The response code that came with it, which nothing vouches for. */
  readonly rcode: number
}

export type ReadAnswer =
  /** `signed`: vouched for. `pending`: only once a later message is signed. `unsigned`: nobody vouches, and nobody was to where we have no key. */
  | { readonly kind: 'answer'; readonly message: Message; readonly trust: 'signed' | 'pending' | 'unsigned' }
  | TsigFailure
  | { readonly kind: 'malformed'; readonly why: string }
  /** No answer to this request. */
  | { readonly kind: 'stranger' }

export interface AnswerReader {
  read(bytes: Buffer): ReadAnswer
  /** Whether all that was read is signed by what came last; true where nothing is to be signed. */
  readonly isCovered: boolean
}

export interface AskedFor {
  readonly id: number
  readonly opcode: number
  /** What the request was signed with. */
  readonly signed: { readonly key: TsigKey; readonly mac: Buffer } | undefined
}

export function createAnswerReader({ id, opcode, signed }: AskedFor, clock: Clock): AnswerReader {
  const verifier = signed && createAnswerVerifier(signed.key, signed.mac)
  return {
    read(bytes) {
      if (bytes.length < 12 || bytes.readUInt16BE(0) !== id) return { kind: 'stranger' }
      const flags = bytes.readUInt16BE(2)
      if ((flags & 0x8000) === 0 || ((flags >> 11) & 15) !== opcode) return { kind: 'stranger' }
      if (!verifier) return decoded(bytes, 'unsigned')
      const verdict = verifier.verify(bytes, Math.floor(clock.now() / 1000))
      if (verdict.kind === 'verified') return decoded(verdict.message, 'signed')
      if (verdict.kind === 'unsigned-so-far') return decoded(verdict.message, 'pending')
      // Servers that do not know TSIG, or the opcode, answer without it: their "no" is worth telling, their "yes" is not.
      if (verdict.kind === 'unsigned') return decoded(bytes, 'unsigned')
      return verdict.kind === 'malformed' ? verdict : failure(verdict, flags & 15)
    },
    get isCovered() {
      return verifier?.isCovered ?? true
    },
  }
}

function decoded(bytes: Buffer, trust: 'signed' | 'pending' | 'unsigned'): ReadAnswer {
  const result = decodeMessage(bytes)
  return result.kind === 'message' ? { kind: 'answer', message: result.message, trust } : result
}

type Untrusted = Exclude<VerifiedAnswer, { kind: 'verified' | 'unsigned-so-far' | 'unsigned' | 'malformed' }>

function failure(verdict: Untrusted, rcode: number): TsigFailure {
  const failed = (problem: TsigProblem, skewSeconds?: number): TsigFailure => ({
    kind: 'tsig',
    problem,
    skewSeconds,
    rcode,
  })
  switch (verdict.kind) {
    case 'other-key':
      return failed('answer-other-key')
    case 'other-algorithm':
      return failed('answer-other-algorithm')
    case 'bad-signature':
      return failed('answer-bad-signature')
    case 'bad-truncation':
      return failed('answer-truncated-signature')
    case 'bad-time':
      return failed('bad-time', verdict.skewSeconds)
    // RFC 8945 §5.4 would have us wait for a signed one. Over TCP only somebody on the way can put in an answer, and could as well
    // end the connection; so nothing better would come.
    case 'unsigned-error':
    case 'signed-error':
      return failed(errorProblems.get(verdict.error) ?? 'other')
  }
}

const errorProblems: ReadonlyMap<number, TsigProblem> = new Map([
  [tsigErrors.badSig, 'bad-signature'],
  [tsigErrors.badKey, 'bad-key'],
  [tsigErrors.badTime, 'bad-time'],
  [tsigErrors.badTrunc, 'bad-truncation'],
])
