/**
 * Signed requests (RFC 8945 §5.1, §5.2): what a client sends, and what a server makes of it. `answers.ts` has the way back. Time is handed
 * in as seconds since 1970.
 */
import { algorithmNames, isKeyNamed, macBytes, type TsigKey } from './key.ts'
import { beginMac, isPossibleLength, isSameMac, type TsigVariables, variablesOf } from './mac.ts'
import { appendTsig, findTsig, type Tsig, time48, tsigErrors, withoutTsig } from './record.ts'

/** RFC 8945 §10. */
export const usualFudgeSeconds = 300

export interface SignedMessage {
  readonly bytes: Buffer
  /** What the answers are signed with. */
  readonly mac: Buffer
}

export type VerifiedRequest =
  /** `message`: the octets without TSIG. The answers are signed with this key and the MAC of this TSIG. */
  | { readonly kind: 'verified'; readonly key: TsigKey; readonly tsig: Tsig; readonly message: Buffer }
  | { readonly kind: 'unsigned' }
  /** To be answered with FORMERR. */
  | { readonly kind: 'malformed'; readonly why: string }
  | BadRequest

/** To be answered with NOTAUTH and what `tsigErrorAnswer` puts behind it. */
export type BadRequest =
  | { readonly kind: 'bad-key' | 'bad-signature'; readonly tsig: Tsig }
  /** The MAC is right: somebody who knows the key sent it, with a wrong clock or less of the MAC than we take. */
  | { readonly kind: 'bad-time' | 'bad-truncation'; readonly tsig: Tsig; readonly key: TsigKey }

/** Octets that a signature adds to a message. */
export function tsigBytes(key: TsigKey): number {
  return key.name.length + algorithmNames[key.algorithm].length + macBytes[key.algorithm] + 26
}

/** @param message  a whole message without TSIG; with its signature it must still fit into 65,535 octets */
export function signRequest(
  message: Buffer,
  key: TsigKey,
  nowSeconds: number,
  fudgeSeconds = usualFudgeSeconds,
): SignedMessage {
  const variables = variablesFor(key, nowSeconds, fudgeSeconds)
  const mac = beginMac(key, undefined).update(message).update(variablesOf(variables)).digest()
  return { bytes: appendTsig(message, { ...variables, mac, originalId: message.readUInt16BE(0) }), mac }
}

export function variablesFor(key: TsigKey, timeSeconds: number, fudgeSeconds: number): TsigVariables {
  return {
    keyName: key.name,
    algorithm: algorithmNames[key.algorithm],
    timeSeconds,
    fudgeSeconds,
    error: tsigErrors.none,
    other: Buffer.alloc(0),
  }
}

/** What a server knows of a request. @param keys  those that it takes, names alone or not */
export function verifyRequest(bytes: Buffer, keys: readonly TsigKey[], nowSeconds: number): VerifiedRequest {
  const found = findTsig(bytes)
  if (found.kind === 'none') return { kind: 'unsigned' }
  if (found.kind === 'malformed') return found
  const { tsig, start } = found
  // RFC 8945 §5.2: key, MAC, time, truncation, in this order.
  const key = keys.find((known) => isKeyNamed(known, tsig.keyName) && isAlgorithmOf(known, tsig))
  if (!key) return { kind: 'bad-key', tsig }
  if (!isPossibleLength(key, tsig.mac)) return { kind: 'malformed', why: 'its MAC has a length that no MAC has' }
  const message = withoutTsig(bytes, start, tsig.originalId)
  const mac = beginMac(key, undefined).update(message).update(variablesOf(tsig)).digest()
  if (!isSameMac(tsig.mac, mac)) return { kind: 'bad-signature', tsig }
  if (Math.abs(nowSeconds - tsig.timeSeconds) > tsig.fudgeSeconds) return { kind: 'bad-time', tsig, key }
  if (tsig.mac.length < macBytes[key.algorithm]) return { kind: 'bad-truncation', tsig, key }
  // The id under which it came here is the one to answer to.
  message.writeUInt16BE(bytes.readUInt16BE(0), 0)
  return { kind: 'verified', key, tsig, message }
}

export function isAlgorithmOf(key: TsigKey, { algorithm }: Pick<Tsig, 'algorithm'>): boolean {
  return algorithm.toLowerCase() === algorithmNames[key.algorithm]
}

/** @param answer  the NOTAUTH to a bad request, without TSIG */
export function tsigErrorAnswer(answer: Buffer, bad: BadRequest, nowSeconds: number): Buffer {
  const none = Buffer.alloc(0)
  if (bad.kind === 'bad-time' || bad.kind === 'bad-truncation') {
    // RFC 8945 §5.2.3: with BADTIME the client's time stays, and ours stands beside it.
    const variables =
      bad.kind === 'bad-time'
        ? { ...bad.tsig, error: tsigErrors.badTime, other: time48(nowSeconds) }
        : { ...bad.tsig, timeSeconds: nowSeconds, error: tsigErrors.badTrunc, other: none }
    const mac = beginMac(bad.key, bad.tsig.mac).update(answer).update(variablesOf(variables)).digest()
    return appendTsig(answer, { ...variables, mac })
  }
  // RFC 8945 §5.3.2: what cannot be trusted is not answered with a signature.
  const error = bad.kind === 'bad-key' ? tsigErrors.badKey : tsigErrors.badSig
  return appendTsig(answer, { ...bad.tsig, error, mac: none, other: none })
}
