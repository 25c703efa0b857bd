/**
 * Commands as they go over the wire. Nothing that would end a line early gets into one: addresses were parsed at the edge, and
 * are looked at once more here, because a CR in one would be a command of the sender's choice to a server that trusts us.
 */
import type { ReversePath } from '../../mail/address.ts'
import type { Envelope, Recipient } from '../../mail/message.ts'
import type { Extensions } from './extensions.ts'

/**
 * MAIL (RFC 5321 §4.1.1.2) with SIZE (RFC 1870 §5), BODY (RFC 6152 §2), RET and ENVID (RFC 3461 §5.2.1, §5.2.2) where the server offers
 * them and the sender said them.
 */
export function mailCommand(envelope: Envelope, offered: Extensions): string {
  const size = offered.size && envelope.declaredSize !== undefined ? ` SIZE=${envelope.declaredSize}` : ''
  const body = offered.eightBit && envelope.body ? ` BODY=${envelope.body}` : ''
  const ret = offered.dsn && envelope.ret ? ` RET=${value(envelope.ret)}` : ''
  const envid = offered.dsn && envelope.envid ? ` ENVID=${value(envelope.envid)}` : ''
  return `MAIL FROM:<${path(envelope.sender)}>${size}${body}${ret}${envid}\r\n`
}

/** RCPT (RFC 5321 §4.1.1.3) with NOTIFY and ORCPT (RFC 3461 §5.2.1, §5.2.2) likewise. */
export function rcptCommand(recipient: Recipient, offered: Extensions): string {
  if (!offered.dsn) return `RCPT TO:<${path(recipient)}>\r\n`
  const notify = recipient.notify ? ` NOTIFY=${value(recipient.notify)}` : ''
  const orcpt = recipient.originalRecipient ? ` ORCPT=${value(recipient.originalRecipient)}` : ''
  return `RCPT TO:<${path(recipient)}>${notify}${orcpt}\r\n`
}

function path(mailbox: ReversePath): string {
  if (mailbox === null) return ''
  if (!printableAscii.test(mailbox.text)) throw new TypeError('an address with characters outside of printable ASCII')
  return mailbox.text
}

const printableAscii = /^[\x20-\x7e]+$/

/** In the form in which it came, as RFC 3461 §5.2.1 asks. */
function value(parameter: string): string {
  if (!esmtpValue.test(parameter)) throw new TypeError('a parameter with characters that none may hold')
  return parameter
}

/** RFC 5321 §4.1.2 */
const esmtpValue = /^[!-<>-~]+$/
