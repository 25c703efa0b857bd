/**
 * A message on its way through: its envelope, who handed it to us, and its content as bytes.
 */
import type { IpAddress } from '../base/ip.ts'
import type { Mailbox, ReversePath } from './address.ts'
import type { EnvelopeId, Notify, OriginalRecipient, ReturnContent } from './dsn-request.ts'

/** Who handed the message to us. Presented to backends that want to know (`present:`), and written into Received. */
export interface Client {
  readonly address: IpAddress
  readonly port: number
  /** What it said after EHLO or HELO: a domain or a literal, printable ASCII. */
  readonly hello: string
  readonly esmtp: boolean
  readonly tls: { readonly version: string; readonly cipher: string } | undefined
}

/** RFC 5321 §2.3.1. Recipients are kept beside it, because each has an outcome of its own. */
export interface Envelope {
  readonly sender: ReversePath
  /** `BODY=` of MAIL (RFC 6152); undefined where the sender said nothing. */
  readonly body: '7BIT' | '8BITMIME' | undefined
  /** `SIZE=` of MAIL in octets (RFC 1870), an estimate. */
  readonly declaredSize: number | undefined
  /** `RET=` of MAIL (RFC 3461 §4.3). */
  readonly ret: ReturnContent | undefined
  /** `ENVID=` of MAIL (RFC 3461 §4.4). */
  readonly envid: EnvelopeId | undefined
}

/**
 * The content, as one sequence of octets that can be read more than once: lines end in CRLF only, no bare CR or LF, no NUL,
 * not dot-stuffed, ending in CRLF. The trace line that we add is not in it.
 */
export interface Body {
  /** Octets. */
  readonly size: number
  /** Whether any octet is above 127 (RFC 6152). */
  readonly has8bit: boolean
  /** The blocks in order: an array where the body is in memory, else read from the file as they are asked for. */
  blocks(): readonly Buffer[] | AsyncIterable<Buffer>
  /**
   * The file of its own that holds it and nothing else, in the state folder: the hold takes it over by renaming it. Undefined where the body is in
   * memory.
   */
  readonly file?: string | undefined
  /** Gives memory or file back. Calling it again does nothing. */
  release(): void
}

export interface Message {
  /** Ours, in logs and in Received: 26 characters, sortable by time. */
  readonly id: string
  readonly client: Client
  readonly envelope: Envelope
  /** `Received: …` with CRLF at its end (RFC 5321 §4.4): what we put in front of the body. */
  readonly trace: Buffer
  readonly body: Body
}

/** One RCPT: where to, and what the sender wants to hear about it. Two commands for one address are one recipient. */
export interface Recipient extends Mailbox {
  /** `NOTIFY=` of RCPT (RFC 3461 §4.1). */
  readonly notify?: Notify | undefined
  /** `ORCPT=` of RCPT (RFC 3461 §4.2). */
  readonly originalRecipient?: OriginalRecipient | undefined
}
