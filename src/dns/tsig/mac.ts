/** What exactly a TSIG signs (RFC 8945 §4.3, §5.3.1), and whether two MACs are the same. Used by `request.ts` and `answers.ts`. */
import { createHmac, type Hmac, timingSafeEqual } from 'node:crypto'
import { classCodes } from '../types.ts'
import { foldName } from '../wire-name.ts'
import { Writer } from '../writer.ts'
import { hashNames, macBytes, type TsigKey } from './key.ts'
import type { Tsig } from './record.ts'
import { time48 } from './record.ts'

/** What of a TSIG is signed with the message. */
export type TsigVariables = Omit<Tsig, 'mac' | 'originalId'>

/**
 * A MAC to which the message (as it was signed, without its TSIG) and then `variablesOf` or `timersOf` are added.
 * @param prior  the MAC of the request, or of the message before in a stream; none for a request
 */
export function beginMac(key: TsigKey, prior: Buffer | undefined): Hmac {
  const mac = createHmac(hashNames[key.algorithm], key.secret)
  if (!prior) return mac
  // RFC 8945 §4.3.1: as it was transmitted, with its length.
  const length = Buffer.alloc(2)
  length.writeUInt16BE(prior.length)
  return mac.update(length).update(prior)
}

/** RFC 8945 §4.3.3: names in canonical form, and neither the lengths nor the original id. */
export function variablesOf(tsig: TsigVariables): Buffer {
  const writer = new Writer()
  writer.name(foldName(tsig.keyName), false)
  writer.u16(classCodes.ANY)
  writer.u32(0)
  writer.name(foldName(tsig.algorithm), false)
  writer.octets(timersOf(tsig))
  writer.u16(tsig.error)
  writer.u16(tsig.other.length)
  writer.octets(tsig.other)
  return writer.done()
}

/** All that is signed of the TSIG from the second message of a stream on (§5.3.1). */
export function timersOf({ timeSeconds, fudgeSeconds }: Pick<Tsig, 'timeSeconds' | 'fudgeSeconds'>): Buffer {
  const fudge = Buffer.alloc(2)
  fudge.writeUInt16BE(fudgeSeconds)
  return Buffer.concat([time48(timeSeconds), fudge])
}

/** RFC 8945 §5.2.2.1: a MAC longer than its hash, or shorter than half of it or ten octets, is a format error. */
export function isPossibleLength(key: TsigKey, mac: Buffer): boolean {
  const whole = macBytes[key.algorithm]
  return mac.length <= whole && mac.length >= Math.max(10, whole / 2)
}

/** Compares as much as was sent, in a time that does not tell where they differ. The length must be a possible one. */
export function isSameMac(sent: Buffer, computed: Buffer): boolean {
  return timingSafeEqual(sent, computed.subarray(0, sent.length))
}
