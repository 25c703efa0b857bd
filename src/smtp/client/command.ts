/**
 * Commands as they go over the wire. Nothing that would end a line early gets into one: addresses were parsed at the edge, and
 * are looked at once more here, because a CR in one would be a command of the sender's choice to a server that trusts us.
 */
import type { Mailbox, ReversePath } from '../../mail/address.ts'
import type { Envelope } from '../../mail/message.ts'
import type { Extensions } from './extensions.ts'

/** MAIL (RFC 5321 §4.1.1.2) with SIZE (RFC 1870 §5) and BODY (RFC 6152 §2) where the server offers them and the sender said them. */
export function mailCommand(envelope: Envelope, offered: Extensions): string {
  const size = offered.size && envelope.declaredSize !== undefined ? ` SIZE=${envelope.declaredSize}` : ''
  const body = offered.eightBit && envelope.body ? ` BODY=${envelope.body}` : ''
  return `MAIL FROM:<${path(envelope.sender)}>${size}${body}\r\n`
}

/** RCPT (RFC 5321 §4.1.1.3). */
export const rcptCommand = (recipient: Mailbox): string => `RCPT TO:<${path(recipient)}>\r\n`

function path(mailbox: ReversePath): string {
  if (mailbox === null) return ''
  if (!printableAscii.test(mailbox.text)) throw new TypeError('an address with characters outside of printable ASCII')
  return mailbox.text
}

const printableAscii = /^[\x20-\x7e]+$/
