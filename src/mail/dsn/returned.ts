/**
 * The part of a notification that gives the message back: whole where the sender may want that and it is small, else its header
 * (RFC 3461 §6.2, RFC 6522 §3, RFC 6533 §4). Read as octets and never further than a notification needs, so a message of any size costs
 * the same. Called by `write.ts`.
 */
import type { Body } from '../message.ts'
import { mostOctets } from './fields.ts'

/** The message: our trace line, and the content as it came. */
export interface Original {
  readonly trace: Buffer
  readonly body: Pick<Body, 'size' | 'blocks'>
}

export interface Returned {
  readonly kind: 'message' | 'header'
  readonly type: 'message/rfc822' | 'text/rfc822-headers' | 'message/global' | 'message/global-headers'
  readonly content: Buffer
  /** Of the message, as it stands in its header; undefined where there is none that is one. */
  readonly messageId: string | undefined
}

/** Octets of the largest message that is given back whole, and of the longest header. */
export const mostReturnedOctets = 50_000

/**
 * @param isWholeWanted  whether the sender is to have the whole message, where it is not too large
 * @param isInternational  what is beyond ASCII in its header is UTF-8 (RFC 6532)
 */
export async function readReturned(
  original: Original,
  isWholeWanted: boolean,
  isInternational: boolean,
): Promise<Returned> {
  const start = await readStart(original, mostReturnedOctets + 1)
  const header = start.subarray(0, headerEnd(start.subarray(0, mostReturnedOctets), start.length > mostReturnedOctets))
  const messageId = findMessageId(header)
  const isGlobal = isInternational && !isSevenBit(header)
  const isComplete = start.length === original.trace.length + original.body.size && start.length <= mostReturnedOctets
  // RFC 2046 §5.2.1: message/rfc822 cannot be encoded, so a line that no line may be keeps it from going whole. RFC 6532 §3.7 lets the other.
  if (isWholeWanted && isComplete && (isGlobal || !hasLongLine(start)))
    return { kind: 'message', type: isGlobal ? 'message/global' : 'message/rfc822', content: start, messageId }
  const type = isGlobal ? 'message/global-headers' : 'text/rfc822-headers'
  return { kind: 'header', type, content: header, messageId }
}

/** The first octets, copied: a block may be used anew when the next is asked for. */
async function readStart({ trace, body }: Original, most: number): Promise<Buffer> {
  const pieces: Buffer[] = [trace]
  let length = trace.length
  for await (const block of body.blocks()) {
    pieces.push(Buffer.from(block))
    length += block.length
    if (length >= most) break
  }
  return Buffer.concat(pieces, Math.min(length, most))
}

/**
 * Where the header ends: in front of the first line that is none of its own, which is the blank line or, in a message that has none, text
 * that is nobody's business here. Where the end is not in sight, in front of the last field, which may not be whole.
 */
function headerEnd(start: Buffer, isCut: boolean): number {
  let lastField = 0
  for (let at = 0; at < start.length; ) {
    const end = start.indexOf('\r\n', at)
    const line = start.toString('latin1', at, end < 0 ? start.length : end)
    const isContinuation = at > 0 && /^[ \t]/.test(line)
    if (!isContinuation && !fieldName.test(line)) return at
    if (!isContinuation) lastField = at
    if (end < 0) return isCut ? lastField : start.length
    at = end + 2
  }
  return isCut ? lastField : start.length
}

/** RFC 5322 §3.6.8, and the blanks in front of the colon that §4.5 lets old programs write. */
const fieldName = /^[!-9;-~]+[ \t]*:/

/** RFC 5322 §3.6.4; what is not of its form could be anything, so it is not repeated. */
function findMessageId(header: Buffer): string | undefined {
  const text = header.toString('latin1')
  return /(?:^|\r\n)Message-ID[ \t]*:(?:[ \t]|\r\n[ \t])*(<[!-;=?-~]{1,250}>)[ \t]*(?:\r\n(?![ \t])|$)/i.exec(text)?.[1]
}

export const isSevenBit = (content: Buffer): boolean => content.every((octet) => octet < 0x80)

export function hasLongLine(content: Buffer): boolean {
  for (let at = 0; at < content.length; ) {
    const found = content.indexOf('\r\n', at)
    const end = found < 0 ? content.length : found
    if (end - at > mostOctets) return true
    at = end + 2
  }
  return false
}
