/**
 * The part of a notification that programs read: message/delivery-status (RFC 3464 §2), and its sister of RFC 6533 §4.1 where an
 * address is beyond ASCII. Whatever a value is, it cannot end its field: every field is made by `field`.
 */
import type { IpAddress } from '../../base/ip.ts'
import { parseIp } from '../../base/ip.ts'
import { printable } from '../../base/printable.ts'
import { type HostName, literalText } from '../address.ts'
import { type OriginalRecipient, readEnvelopeId, readOriginalRecipient } from '../dsn-request.ts'
import type { Recipient } from '../message.ts'
import type { Reply } from '../reply.ts'
import { mailDate } from '../trace.ts'
import { type DsnRecipient, type DsnReport, isInternational } from './report.ts'
import { statusFor } from './status.ts'
import { decodeUnitext, encodeUnitext } from './unitext.ts'

/** The whole part, fields with CRLF, groups with a blank line between. Beyond ASCII only where the message was. */
export function deliveryStatus(report: DsnReport, recipients: readonly DsnRecipient[]): string {
  const isUtf8 = isInternational(report)
  return [messageFields(report), ...recipients.map((recipient) => recipientFields(recipient, isUtf8))]
    .map((fields) => fields.join(''))
    .join('\r\n')
}

/** RFC 3464 §2.2 */
function messageFields({ hostname, envelope, client, arrivedMs }: DsnReport): string[] {
  return [
    ...(envelope.envid === undefined ? [] : [field('Original-Envelope-Id', readEnvelopeId(envelope.envid))]),
    field('Reporting-MTA', `dns; ${hostname}`),
    ...(client ? [field('Received-From-MTA', `dns; ${clientName(client)}`)] : []),
    field('Arrival-Date', mailDate(arrivedMs)),
  ]
}

/** RFC 3464 §2.3, in its order. */
function recipientFields(told: DsnRecipient, isUtf8: boolean): string[] {
  const { recipient, action, remote, lastAttemptMs } = told
  const { originalRecipient } = recipient
  const retryUntilMs = action === 'delayed' ? told.willRetryUntilMs : undefined
  return [
    // RFC 3461 §6.3 d: never made up.
    ...(originalRecipient === undefined
      ? []
      : [field('Original-Recipient', originalAddress(originalRecipient, isUtf8), isUtf8)]),
    field('Final-Recipient', finalAddress(recipient, isUtf8), isUtf8),
    field('Action', action),
    field('Status', statusFor(action, told.status)),
    ...(remote ? [field('Remote-MTA', `dns; ${hostText(remote.host)}`), diagnosticCode(remote.reply)] : []),
    ...(lastAttemptMs === undefined ? [] : [field('Last-Attempt-Date', mailDate(lastAttemptMs))]),
    ...(retryUntilMs === undefined ? [] : [field('Will-Retry-Until', mailDate(retryUntilMs))]),
  ]
}

/** RFC 3464 §2.2.4. A name that is neither an atom nor a literal is left out: it would be taken for a comment, or for another field's syntax. */
function clientName({ hello, address }: { hello: string; address: IpAddress }): string {
  const literal = literalText(address)
  return /^[A-Za-z0-9._:[\]-]{1,255}$/.test(hello) ? `${hello} (${literal})` : literal
}

export function hostText(host: HostName | IpAddress): string {
  const address = parseIp(host)
  return address ? literalText(address) : host
}

/** RFC 6533 §3: beyond ASCII as it is where the part may hold it, else as `\x{HEX}`. */
function originalAddress(originalRecipient: OriginalRecipient, isUtf8: boolean): string {
  const { type, address } = readOriginalRecipient(originalRecipient)
  return `${type};${isUtf8 && type.toLowerCase() === 'utf-8' ? decodeUnitext(address) : address}`
}

function finalAddress({ text }: Recipient, isUtf8: boolean): string {
  if (isAscii(text)) return `rfc822; ${text}`
  return `utf-8; ${isUtf8 ? text : encodeUnitext(text)}`
}

/** RFC 3461 §9.2: the lines of the reply as they were said, each but the first behind a blank. */
function diagnosticCode(said: Reply): string {
  const [first = '', ...others] = replyLines(said)
  const name = 'Diagnostic-Code: smtp; '
  return [foldedLine(name + first, name.length), ...others.map((line) => foldedLine(` ${line}`, 1))].join('')
}

/** Lines of a reply that are repeated; a server may say 64 KiB, and say it of each of a thousand recipients. */
const mostReplyLines = 10
const mostLineOctets = 512

/** The reply as it stood on the wire, made safe: no controls, 8-bit as "?". At most ten lines. */
export function replyLines({ code, enhanced, text }: Reply): readonly string[] {
  const shown = text.slice(0, mostReplyLines)
  return shown.map((line, index) => {
    const start = `${code}${index < shown.length - 1 ? '-' : ' '}${enhanced === undefined ? '' : `${enhanced} `}`
    return ascii(start + line)
      .slice(0, mostLineOctets)
      .trimEnd()
  })
}

/** A field with CRLF at its end. */
export function field(name: string, value: string, isUtf8 = false): string {
  return `${name}: ${isUtf8 ? printable(value) : ascii(value)}\r\n`
}

/** Octets of a line that nobody may exceed (RFC 5322 §2.1.1), and those that people like. */
export const mostOctets = 998
const likedOctets = 78

/**
 * Breaks a line in front of blanks, so that it reads the same unfolded (RFC 5322 §2.2.3).
 * @param earliest  where its first word begins: no line may be blank
 */
function foldedLine(line: string, earliest: number): string {
  let folded = ''
  let rest = line
  let word = earliest
  while (rest.length > likedOctets) {
    const before = rest.lastIndexOf(' ', likedOctets)
    let at = before > word ? before : rest.indexOf(' ', Math.max(likedOctets, word))
    if (at < 0) break
    while (rest[at - 1] === ' ') at--
    folded += `${rest.slice(0, at)}\r\n`
    rest = rest.slice(at)
    word = rest.length - rest.trimStart().length
  }
  return `${folded}${rest}\r\n`
}

const isAscii = (text: string) => /^[\x20-\x7e]*$/.test(text)
export const ascii = (text: string): string =>
  isAscii(text) ? text : text.replace(/[^\x00-\x7f]/gu, '?').replace(/[\x00-\x1f\x7f]/g, ' ')
