/**
 * What the SMTP server asks of whoever answers for the mail: `gateway/receive/sender-handler.ts` is the one that does. The server knows the protocol
 * (order of commands, syntax, limits, TLS, replies in order); the handler knows domains, backends and verdicts.
 * One handler a connection; the server calls one method at a time and waits for it.
 */
import type { IpAddress } from '../../base/ip.ts'
import type { Client, Envelope, Recipient } from '../../mail/message.ts'
import type { Reply } from '../../mail/reply.ts'
import type { EtrnNode } from '../wire/command.ts'
import type { DataFault } from '../wire/data-decoder.ts'

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
  rcpt(recipients: readonly Recipient[]): Promise<readonly Reply[]>
  recipientsAtOnce(): number
  /** DATA, with at least one recipient accepted: the sender hears 354, and the sink takes what it sends. */
  data(): BodySink
  /**
   * ETRN (RFC 1985), outside of a transaction: whether and what of held mail is sent now, over connections of its own. Undefined: it is not offered to
   * this sender.
   */
  readonly etrn?: ((node: EtrnNode) => Reply) | undefined
  /** NOOP, with what stood behind it. The sender hears OK, whatever it was. */
  noop?(text: string): void
  /**
   * The sender does what no honest one does, and nothing more is done for it: another protocol, talk ahead of the greeting or of an answer that must be
   * waited for, a handshake that failed, DATA that trickles. `why` for the log.
   */
  misbehaved?(why: string): void
  /** MAIL declares more octets than `limits.messageBytes`: it was refused, and no transaction is open. */
  tooBig?(envelope: Envelope): void
  /** The server itself refused a command: its syntax, its order, one of its limits. @param reply  as the sender hears it, without its CRLF */
  commandRefused?(reply: string): void
  /** The transaction is over without a message: RSET, EHLO, STARTTLS, QUIT, a close. Not behind `end` or `abort` of its sink. */
  reset(): void
  /** The connection has ended; called once, after everything else. */
  closed(): void
}

/** Why a message does not come to its end: a fault of its content, one of our limits, its sender that has gone, or (`failed`) a fault of ours. */
export type AbortReason = DataFault | 'too-big' | 'loop' | 'too-slow' | 'gone' | 'failed'

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
  /**
   * What `end` said is on its way now. Called once behind it, unless it failed.
   * @param isHanded  false: the sender had gone before the first octet of it was given to the socket
   */
  answerHanded?(isHanded: boolean): void
  /** The content was refused by the parser, or the connection went: nothing may be delivered. */
  abort(why: AbortReason): void
}

/** What a listener does with a new connection: a handler, or a greeting of 421 or 554 and the end. */
export type OnConnect = (
  peer: Peer,
) =>
  | { readonly kind: 'handler'; readonly handler: SessionHandler }
  | { readonly kind: 'refused'; readonly reply: Reply }
