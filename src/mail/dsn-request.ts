/**
 * What a sender asks about notifications, at MAIL and RCPT (RFC 3461 §4): which events it wants to hear of, how much of the message it
 * wants back, and what it calls message and recipient. Parsed once, by `smtp/wire/command.ts`, kept with the message in the very form
 * that the next server must be given (§5.2.1), and read when a notification is written.
 */
import { decodeXtext } from './xtext.ts'

/** RET: the whole message, or its header alone. */
export type ReturnContent = 'FULL' | 'HDRS'

/** ENVID as it came: xtext of up to 100 octets, and printable ASCII and blanks when decoded. */
export type EnvelopeId = string & { readonly __envid: unique symbol }

/** NOTIFY: `NEVER`, or some of `SUCCESS`, `FAILURE`, `DELAY` with commas between, in upper case and in the sender's order. */
export type Notify = string & { readonly __notify: unique symbol }

/** ORCPT as it came, `type;xtext`: up to 500 octets, and printable ASCII and blanks when decoded. */
export type OriginalRecipient = string & { readonly __orcpt: unique symbol }

export const notifyNever = 'NEVER' as Notify

// RFC 3461 §5.4: 28 with the keyword. More could only say the same twice.
const mostNotifyOctets = 21
const mostEnvelopeIdOctets = 100
const mostOriginalRecipientOctets = 500

const notifyList = /^(?:NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY))*)$/
/** An atom of RFC 822, which is what RFC 3461 §4.2 wants of an address type. */
const addressType = /^[!#$%&'*+\-/0-9?A-Z^_`a-z{|}~]+$/
// RFC 3461 §4.2, §4.4: what is written into a field of a notification must not be able to end that field.
const printableAscii = /^[\x20-\x7e]*$/

/** @returns undefined where it is not one, as with the three below */
export function parseReturnContent(value: string): ReturnContent | undefined {
  const known = value.toUpperCase()
  return known === 'FULL' || known === 'HDRS' ? known : undefined
}

export function parseEnvelopeId(value: string): EnvelopeId | undefined {
  if (value === '' || value.length > mostEnvelopeIdOctets) return undefined
  const decoded = decodeXtext(value)
  return decoded !== undefined && printableAscii.test(decoded) ? (value as EnvelopeId) : undefined
}

export function parseNotify(value: string): Notify | undefined {
  if (value.length > mostNotifyOctets) return undefined
  const known = value.toUpperCase()
  return notifyList.test(known) ? (known as Notify) : undefined
}

export function parseOriginalRecipient(value: string): OriginalRecipient | undefined {
  if (value.length > mostOriginalRecipientOctets) return undefined
  const semicolon = value.indexOf(';')
  if (semicolon < 0 || !addressType.test(value.slice(0, semicolon))) return undefined
  const decoded = decodeXtext(value.slice(semicolon + 1))
  return decoded !== undefined && printableAscii.test(decoded) ? (value as OriginalRecipient) : undefined
}

/** The identifier that the sender means: printable ASCII and blanks. */
export const readEnvelopeId = (envid: EnvelopeId): string => decodeXtext(envid) ?? ''

/** Type and address that the sender means, printable ASCII and blanks; of type utf-8 still in `\x{HEX}` (`unitext.ts`). */
export function readOriginalRecipient(orcpt: OriginalRecipient): { readonly type: string; readonly address: string } {
  const semicolon = orcpt.indexOf(';')
  return { type: orcpt.slice(0, semicolon), address: decodeXtext(orcpt.slice(semicolon + 1)) ?? '' }
}
