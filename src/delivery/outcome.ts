/**
 * What can come of handing one message to one backend: the one type for cut-through and drain, for SMTP, LMTP and Maildir.
 * What it means for the sender is decided in `gateway/verdict.ts`; here it is only told.
 */
import { type Reply, replyText } from '../mail/reply.ts'

export type Step = 'connect' | 'greeting' | 'hello' | 'starttls' | 'mail' | 'rcpt' | 'data' | 'body' | 'dot' | 'rset'

/** The backend or the way to it failed: there was no reply that is about the message. */
export interface Fault {
  readonly kind:
    | 'refused' // TCP said no (ECONNREFUSED, no such socket)
    | 'unreachable' // any other failure to connect
    | 'timeout' // silence to the end of the step's time
    | 'closed' // the connection ended in the middle
    | 'garbage' // what came is no SMTP reply, or is longer than a reply may be
    | 'rejected' // greeting, EHLO or STARTTLS was answered 4yz or 5yz: `reply`
    | 'tls' // the handshake failed where TLS is required, or hung
    | 'forbidden' // the address may not be connected to (`base/door`)
    | 'abandoned' // we ourselves gave up: the sender has gone, or the gateway stops
  readonly step: Step
  readonly reply: Reply | undefined
  /** For the log: words of ours and of the operating system. Safe to print. */
  readonly detail: string
}

/** What MAIL and RCPT brought. */
export type RecipientsOutcome =
  /** MAIL was accepted (now or earlier in this transaction); one reply a recipient, in order. */
  | { readonly kind: 'answered'; readonly replies: readonly Reply[] }
  /** The reply to MAIL was no 2yz. The transaction is over. */
  | { readonly kind: 'mail-refused'; readonly reply: Reply }
  | Lost

/** What DATA, the body and the dot brought. */
export type DataOutcome =
  /** One reply (SMTP), or one a recipient that was accepted, in order (LMTP, Maildir). A no to DATA is one reply: `step` 'data'. */
  | { readonly kind: 'answered'; readonly step: 'data' | 'body' | 'dot'; readonly replies: readonly Reply[] }
  | Lost
  /**
   * Our dot has left and no answer came: the backend may have the message, so no other may get it now (SEMANTICS.md §6).
   * `replies` are the LMTP ones that did arrive, in order; the rest is unknown.
   */
  | { readonly kind: 'unknown'; readonly fault: Fault; readonly replies: readonly Reply[]; readonly waitedMs: number }

/** The session ended before the dot left: certainly nothing was delivered. */
export interface Lost {
  readonly kind: 'lost'
  readonly fault: Fault
  /** The session had served before: its end says nothing of the backend, and the step is worth one fresh session (SEMANTICS.md §4). */
  readonly reused: boolean
}

/** One line for logs and people. */
export function faultText(fault: Fault): string {
  return `${fault.step}: ${fault.reply ? replyText(fault.reply) : fault.detail}`.slice(0, 300)
}
