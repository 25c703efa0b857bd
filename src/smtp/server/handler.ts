/**
 * What the SMTP server asks of whoever answers for the mail: `gateway/accept` is the one that does. The server knows the protocol
 * (order of commands, syntax, limits, TLS, replies in order); the handler knows domains, backends and verdicts.
 * One handler a connection; the server calls one method at a time and waits for it.
 */
import type { IpAddress } from '../../base/ip.ts'
import type { Client, Envelope, Recipient } from '../../mail/message.ts'
import type { Reply } from '../../mail/reply.ts'

/** A new connection, before anything was said on it. */
export interface Peer {
  readonly address: IpAddress
  readonly port: number
  readonly local: { readonly address: IpAddress; readonly port: number }
  /** The connection has ended, for whatever reason. */
  readonly isGone: boolean
  /** Calls the listener once when the connection ends, also while a method of the handler is at work; at once where it has ended. */
  whenGone(listener: () => void): void
}

export interface SessionHandler {
  /** MAIL, its syntax checked and its parameters known. A positive reply opens a transaction. */
  mail(envelope: Envelope, client: Client): Reply | Promise<Reply>
  /**
   * RCPT commands that arrived together, in order: one reply each. The server passes at most `recipientsAtOnce()` of them.
   * A reply of 421 ends the connection behind it.
   */
  recipients(recipients: readonly Recipient[]): Promise<readonly Reply[]>
  recipientsAtOnce(): number
  /** DATA, with at least one recipient accepted. A sink opens the body (354); a reply refuses it, and the transaction stays open. */
  data(): BodySink | Reply
  /** The transaction is over without a message: RSET, EHLO, STARTTLS, QUIT, a close. Not behind `end` or `abort` of its sink. */
  reset(): void
  /** The connection has ended; called once, after everything else. */
  closed(): void
}

/** Takes the canonical content of one message (see `Body`): no dot-stuffing, CRLF line ends. */
export interface BodySink {
  /**
   * Takes the octets; the chunk belongs to the caller again when this returns, so it is copied or written.
   * @returns a promise where the sink wants no more until it resolves (back-pressure), else nothing
   */
  write(chunk: Buffer): void | Promise<void>
  /**
   * CRLF.CRLF was read and the content is in order. Resolves with the verdict that the sender hears.
   * @param has8bit  whether any octet was above 127
   */
  end(has8bit: boolean): Promise<Reply>
  /** The content was refused by the parser, or the connection went: nothing may be delivered. `why` for the log. */
  abort(why: string): void
}

/** What a listener does with a new connection: a handler, or a greeting of 421 or 554 and the end. */
export type OnConnect = (
  peer: Peer,
) =>
  | { readonly kind: 'handler'; readonly handler: SessionHandler }
  | { readonly kind: 'refused'; readonly reply: Reply }
