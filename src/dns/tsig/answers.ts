/**
 * Signed answers (RFC 8945 §5.3, §5.4): one message, or the stream of them that a zone transfer is. A server signs them, a client verifies
 * them; both keep what the next message is chained to. Time is handed in as seconds since 1970.
 */
import type { Hmac } from 'node:crypto'
import { isKeyNamed, macBytes, type TsigKey } from './key.ts'
import { beginMac, isPossibleLength, isSameMac, timersOf, variablesOf } from './mac.ts'
import { appendTsig, findTsig, type Tsig, tsigErrors, withoutTsig } from './record.ts'
import { isAlgorithmOf, usualFudgeSeconds, variablesFor } from './request.ts'

export interface AnswerSigner {
  /** Signs the next message of the answer. @param message  without TSIG; with it, it must still fit into 65,535 octets */
  sign(message: Buffer, nowSeconds: number): Buffer
}

/** @param requestMac  that of the verified request */
export function createAnswerSigner(key: TsigKey, requestMac: Buffer, fudgeSeconds = usualFudgeSeconds): AnswerSigner {
  let prior = requestMac
  let isFirst = true
  return {
    sign(message, nowSeconds) {
      const variables = variablesFor(key, nowSeconds, fudgeSeconds)
      const mac = beginMac(key, prior)
        .update(message)
        .update(isFirst ? variablesOf(variables) : timersOf(variables))
        .digest()
      prior = mac
      isFirst = false
      return appendTsig(message, { ...variables, mac, originalId: message.readUInt16BE(0) })
    },
  }
}

export type VerifiedAnswer =
  /** `message`: the octets without TSIG. What came `unsigned-so-far` before it is as good now. */
  | { readonly kind: 'verified'; readonly message: Buffer }
  /** In the middle of a stream: not to be used before a later message is verified. */
  | { readonly kind: 'unsigned-so-far'; readonly message: Buffer }
  /** From whom it is stands nowhere, so it proves nothing; a stream ends here. */
  | { readonly kind: 'malformed'; readonly why: string }
  /** No TSIG at all. */
  | { readonly kind: 'unsigned' }
  /** `other-*`: signed, if at all, with what we have not. */
  | { readonly kind: 'other-key' | 'other-algorithm' | 'bad-signature' | 'bad-truncation' }
  /** The server complains of our TSIG, without a signature: one of `tsigErrors`, or any number. */
  | { readonly kind: 'unsigned-error'; readonly error: number }
  /** The MAC is right. `skewSeconds`: how far the server's clock is ahead of ours. */
  | { readonly kind: 'bad-time'; readonly skewSeconds: number }
  /** The MAC is right, and another TSIG error than BADTIME is in it. */
  | { readonly kind: 'signed-error'; readonly error: number }

export interface AnswerVerifier {
  verify(bytes: Buffer, nowSeconds: number): VerifiedAnswer
  /** Whether everything up to now is covered by a signature. False at the end of a stream means that its end may be anybody's. */
  readonly isCovered: boolean
}

/** RFC 8945 §5.3.1: so many in a row may be unsigned. */
const unsignedAtMost = 99

/** @param requestMac  that of the request, as it was sent */
export function createAnswerVerifier(key: TsigKey, requestMac: Buffer): AnswerVerifier {
  let running: Hmac = beginMac(key, requestMac)
  let isFirst = true
  let unsigned = 0

  /** The MAC as it should be, of this message and the unsigned ones before it. */
  const expected = (tsig: Tsig, message: Buffer) =>
    running
      .update(message)
      .update(isFirst ? variablesOf(tsig) : timersOf(tsig))
      .digest()

  return {
    verify(bytes, nowSeconds) {
      const found = findTsig(bytes)
      if (found.kind === 'malformed') return found
      if (found.kind === 'none') {
        if (isFirst || ++unsigned > unsignedAtMost) return { kind: 'unsigned' }
        running.update(bytes)
        return { kind: 'unsigned-so-far', message: bytes }
      }
      const { tsig, start } = found
      if (!isKeyNamed(key, tsig.keyName)) return { kind: 'other-key' }
      if (!isAlgorithmOf(key, tsig)) return { kind: 'other-algorithm' }
      if (tsig.mac.length === 0 && tsig.error !== tsigErrors.none) return { kind: 'unsigned-error', error: tsig.error }
      if (!isPossibleLength(key, tsig.mac)) return { kind: 'malformed', why: 'its MAC has a length that no MAC has' }
      const message = withoutTsig(bytes, start, tsig.originalId)
      const mac = expected(tsig, message)
      // A digest is made once, so a stream cannot go on behind a message that failed; nor should it (§5.3.1).
      running = beginMac(key, tsig.mac)
      if (!isSameMac(tsig.mac, mac)) return { kind: 'bad-signature' }
      isFirst = false
      unsigned = 0
      return judge(key, tsig, message, nowSeconds)
    },
    get isCovered() {
      return !isFirst && unsigned === 0
    },
  }
}

/** What a TSIG with the right MAC says. */
function judge(key: TsigKey, tsig: Tsig, message: Buffer, nowSeconds: number): VerifiedAnswer {
  // RFC 8945 §5.2.3: its time is ours then, and the server's stands beside it.
  if (tsig.error === tsigErrors.badTime && tsig.other.length === 6)
    return { kind: 'bad-time', skewSeconds: tsig.other.readUIntBE(0, 6) - nowSeconds }
  if (Math.abs(nowSeconds - tsig.timeSeconds) > tsig.fudgeSeconds)
    return { kind: 'bad-time', skewSeconds: tsig.timeSeconds - nowSeconds }
  if (tsig.error !== tsigErrors.none) return { kind: 'signed-error', error: tsig.error }
  if (tsig.mac.length < macBytes[key.algorithm]) return { kind: 'bad-truncation' }
  return { kind: 'verified', message }
}
