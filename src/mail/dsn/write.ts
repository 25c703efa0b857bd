/**
 * Writes a delivery status notification (RFC 3464) for a message that came by SMTP (RFC 3461 §6): multipart/report (RFC 6522) of a text
 * for people, fields for programs, and the message or its header. Called by the gateway, which sends it as any other message.
 *
 *   who is owed one → what is given back → text and fields → a boundary that is in none of them → the message
 */
import type { Random } from '../../base/random.ts'
import type { Mailbox } from '../address.ts'
import { notifyNever } from '../dsn-request.ts'
import type { Body, Envelope, Recipient } from '../message.ts'
import { mailDate } from '../trace.ts'
import { explain, order, subjects } from './explanation.ts'
import { deliveryStatus, field } from './fields.ts'
import { quotedPrintable } from './quoted-printable.ts'
import { type DsnRecipient, type DsnReport, isBeyondAscii, isInternational, isOwed } from './report.ts'
import { hasLongLine, isSevenBit, type Original, type Returned, readReturned } from './returned.ts'

/** A notification, ready to be sent. */
export interface Dsn {
  /** From nobody, so that nobody is told of it in turn (RFC 3461 §6.1). */
  readonly envelope: Envelope
  /** The sender of the message; NOTIFY=NEVER. */
  readonly to: Recipient
  /** In memory: some ten kilobytes, and what is given back. */
  readonly body: Body
  /** Those of the report that it tells of, the failed ones first. */
  readonly recipients: readonly DsnRecipient[]
}

/**
 * @param original  the message; it is read, and stays the caller's
 * @param random  for the boundary
 * @returns undefined where nobody is owed one: the message came from nobody, or NOTIFY does not ask for it
 * @throws what reading the message throws
 */
export async function writeDsn(report: DsnReport, original: Original, random: Random): Promise<Dsn | undefined> {
  const { sender, ret } = report.envelope
  if (sender === null) return undefined // RFC 3461 §5.2: MUST NOT
  const owed = report.recipients.filter(({ action, recipient }) => isOwed(action, recipient.notify)) // §5.2.8
  const told = order.flatMap((action) => owed.filter((each) => each.action === action))
  const [worst] = told
  if (!worst) return undefined

  // RFC 3461 §6.2: the header alone where nothing failed. RFC 6522 §3: the whole where the sender did not say.
  const isWholeWanted = ret !== 'HDRS' && worst.action === 'failed'
  const returned = await readReturned(original, isWholeWanted, isInternational(report))
  // RFC 6533 §4.5: whether the way back takes octets beyond ASCII is known only where the address itself needs it.
  const isUtf8 = isBeyondAscii(sender)
  const parts = [
    textPart(explain(report, told, returned.kind), isUtf8),
    statusPart(deliveryStatus(report, told), isUtf8),
    returnedPart(returned, isUtf8),
  ]
  const has8bit = isUtf8 || parts.some(({ encoding }) => encoding === '8bit')
  const boundary = freeBoundary(parts, random)
  const head = header(report, sender, subjects[worst.action], returned.messageId, has8bit, boundary)
  const blocks = [
    Buffer.from(head),
    ...parts.flatMap((part) => partBlocks(part, boundary)),
    Buffer.from(`--${boundary}--\r\n`),
  ]
  const size = blocks.reduce((sum, block) => sum + block.length, 0)
  return {
    envelope: {
      sender: null,
      body: has8bit ? '8BITMIME' : undefined,
      declaredSize: size,
      ret: undefined,
      envid: undefined,
    },
    to: { ...sender, notify: notifyNever },
    body: { size, has8bit, blocks: () => blocks, release() {} },
    recipients: told,
  }
}

interface Part {
  readonly type: string
  readonly description: string
  readonly encoding: '7bit' | '8bit' | 'quoted-printable'
  readonly content: Buffer
}

function textPart(text: string, isUtf8: boolean): Part {
  const content = Buffer.from(text)
  const charset = isSevenBit(content) ? 'us-ascii' : 'utf-8'
  return encoded(`text/plain; charset=${charset}`, 'What happened', content, isUtf8)
}

/** RFC 3464 §2.1: 7bit, always. RFC 6533 §4.4: the other type only where there is something to be lost. */
function statusPart(fields: string, isUtf8: boolean): Part {
  const content = Buffer.from(fields)
  const type = isSevenBit(content) ? 'message/delivery-status' : 'message/global-delivery-status'
  return encoded(type, 'Delivery status', content, isUtf8)
}

function returnedPart({ kind, type, content }: Returned, isUtf8: boolean): Part {
  const description = kind === 'message' ? 'Your message' : 'The header of your message'
  // RFC 2046 §5.2.1: neither encoded nor changed.
  if (type === 'message/rfc822') return { type, description, encoding: isSevenBit(content) ? '7bit' : '8bit', content }
  return encoded(type, description, content, isUtf8)
}

function encoded(type: string, description: string, content: Buffer, may8bit: boolean): Part {
  const isShort = !hasLongLine(content)
  if (isShort && isSevenBit(content)) return { type, description, encoding: '7bit', content }
  if (isShort && may8bit) return { type, description, encoding: '8bit', content }
  return { type, description, encoding: 'quoted-printable', content: quotedPrintable(content) }
}

function partBlocks({ type, description, encoding, content }: Part, boundary: string): readonly Buffer[] {
  const fields = [
    field('Content-Type', type),
    field('Content-Description', description),
    field('Content-Transfer-Encoding', encoding),
  ]
  // RFC 2046 §5.1.1: the CRLF in front of a boundary belongs to the boundary.
  return [Buffer.from(`--${boundary}\r\n${fields.join('')}\r\n`), content, crlf]
}

const crlf = Buffer.from('\r\n')

/** RFC 2046 §5.1.1: a boundary must not occur in what it divides, and a sender may try to make it so. */
function freeBoundary(parts: readonly Part[], random: Random): string {
  for (let attempt = 0; ; attempt++) {
    const boundary = `=_${random.bytes(15).toString('hex')}.${attempt}`
    if (!parts.some(({ content }) => content.includes(boundary))) return boundary
  }
}

/** The header of the whole, the blank line, and a line for readers that know nothing of MIME. */
function header(
  { id, atMs, hostname, from }: DsnReport,
  sender: Mailbox,
  subject: string,
  originalId: string | undefined,
  has8bit: boolean,
  boundary: string,
): string {
  const fields = [
    // RFC 3464 §2: from a person, to the return address.
    field('From', `Mail Delivery <${from?.text ?? `postmaster@${hostname}`}>`),
    field('To', `<${sender.text}>`, true),
    field('Subject', subject),
    field('Date', mailDate(atMs)),
    field('Message-ID', `<${id}@${hostname}>`),
    // RFC 3834 §3.1.6, §3.1.7
    ...(originalId === undefined ? [] : [field('In-Reply-To', originalId), field('References', originalId)]),
    field('Auto-Submitted', 'auto-replied'),
    field('MIME-Version', '1.0'),
    `Content-Type: multipart/report; report-type=delivery-status;\r\n boundary="${boundary}"\r\n`,
    ...(has8bit ? [field('Content-Transfer-Encoding', '8bit')] : []),
  ]
  return `${fields.join('')}\r\nThis notice is in parts, as MIME has them.\r\n\r\n`
}
