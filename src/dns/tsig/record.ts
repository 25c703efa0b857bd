/**
 * The TSIG record at the end of a message (RFC 8945 §4.2), found and put there without touching the octets before it, because those are
 * what was signed. Used by `mac.ts` and by those who sign and verify. What is read may be anything.
 */
import { Reader } from '../reader.ts'
import { classCodes, metaTypeCodes } from '../types.ts'
import type { WireName } from '../wire-name.ts'
import { Writer } from '../writer.ts'

export interface Tsig {
  readonly keyName: WireName
  readonly algorithm: WireName
  /** Seconds since 1970, 48 bits. */
  readonly timeSeconds: number
  readonly fudgeSeconds: number
  /** Empty where an error could not be signed (§5.3.2). */
  readonly mac: Buffer
  readonly originalId: number
  /** One of `tsigErrors`, or 0. */
  readonly error: number
  /** With BADTIME the server's time; else empty. */
  readonly other: Buffer
}

/** RFC 8945 §3 and §9; 16 means another thing in an OPT record. */
export const tsigErrors = { none: 0, badSig: 16, badKey: 17, badTime: 18, badTrunc: 22 } as const

export type FoundTsig =
  /** `start`: where its record begins, and what it signs ends. */
  | { readonly kind: 'tsig'; readonly tsig: Tsig; readonly start: number }
  | { readonly kind: 'none' }
  /** `why` in words of ours and numbers. */
  | { readonly kind: 'malformed'; readonly why: string }

/** Looks for the TSIG record of a whole message, in time that grows with its length. */
export function findTsig(message: Buffer): FoundTsig {
  const reader = new Reader(message)
  reader.at = 4
  if (message.length < headerBytes) return { kind: 'malformed', why: 'it ends too early' }
  const questions = reader.u16()
  const others = reader.u16() + reader.u16()
  const records = others + reader.u16()
  for (let left = questions; left > 0 && !reader.why; left--) {
    reader.name(true)
    reader.u32()
  }
  let found: { tsig: Tsig; start: number } | undefined
  for (let index = 0; index < records && !reader.why; index++) {
    // RFC 8945 §5.2: last, and therefore alone.
    if (found) return { kind: 'malformed', why: 'a record stands behind TSIG' }
    const start = reader.at
    const keyName = reader.name(true)
    const type = reader.u16()
    const recordClass = reader.u16()
    const ttl = reader.u32()
    const length = reader.u16()
    if (length > reader.left) reader.fail("a record's data ends behind the message")
    else if (type !== metaTypeCodes.TSIG) reader.at += length
    else if (index < others) reader.fail('TSIG stands outside of the additional section')
    else if (recordClass !== classCodes.ANY || ttl !== 0) reader.fail('TSIG has another class than ANY, or a TTL')
    else found = { tsig: readTsig(reader, keyName, reader.at + length), start }
  }
  if (reader.why !== undefined) return { kind: 'malformed', why: reader.why }
  if (reader.left > 0) return { kind: 'malformed', why: 'octets stand behind the last record' }
  return found ? { kind: 'tsig', ...found } : { kind: 'none' }
}

function readTsig(reader: Reader, keyName: WireName, dataEnd: number): Tsig {
  const messageEnd = reader.end
  reader.end = dataEnd
  const tsig: Tsig = {
    keyName,
    algorithm: reader.name(false),
    timeSeconds: reader.u16() * 2 ** 32 + reader.u32(),
    fudgeSeconds: reader.u16(),
    mac: reader.octets(reader.u16()),
    originalId: reader.u16(),
    error: reader.u16(),
    other: reader.octets(reader.u16()),
  }
  if (reader.at !== dataEnd) reader.fail('the data of TSIG is longer than its fields say')
  reader.end = messageEnd
  return tsig
}

/** The message with this record behind it. The message is one without TSIG, and stays as it is. */
export function appendTsig(message: Buffer, tsig: Tsig): Buffer {
  const writer = new Writer()
  writer.octets(message)
  writer.name(tsig.keyName, false)
  writer.u16(metaTypeCodes.TSIG)
  writer.u16(classCodes.ANY)
  writer.u32(0)
  const start = writer.beginSized()
  writer.name(tsig.algorithm, false)
  writer.u16(Math.floor(tsig.timeSeconds / 2 ** 32))
  writer.u32(tsig.timeSeconds % 2 ** 32)
  writer.u16(tsig.fudgeSeconds)
  writer.u16(tsig.mac.length)
  writer.octets(tsig.mac)
  writer.u16(tsig.originalId)
  writer.u16(tsig.error)
  writer.u16(tsig.other.length)
  writer.octets(tsig.other)
  writer.endSized(start)
  writer.patchU16(additionalCountAt, message.readUInt16BE(additionalCountAt) + 1)
  return writer.done()
}

/** The message as it was signed: without its TSIG, and with the id that the signer saw (§4.3.2). */
export function withoutTsig(message: Buffer, start: number, originalId: number): Buffer {
  const bare = Buffer.from(message.subarray(0, start))
  bare.writeUInt16BE(originalId, 0)
  bare.writeUInt16BE(message.readUInt16BE(additionalCountAt) - 1, additionalCountAt)
  return bare
}

/** A time as the record has it, in 6 octets. @param seconds  since 1970, below 2^48 */
export function time48(seconds: number): Buffer {
  const octets = Buffer.alloc(6)
  octets.writeUIntBE(seconds, 0, 6)
  return octets
}

const headerBytes = 12
const additionalCountAt = 10
