/**
 * What the SMTP server needs to be told. The gateway makes it from its settings; sessions keep what they began with.
 */
import type { SecureContext } from 'node:tls'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { OnConnect } from './handler.ts'

export interface SmtpServerOptions {
  /** Our name in greeting and EHLO, and the one that loops are known by. */
  readonly hostname: string
  /** Asked at each EHLO and STARTTLS, so that certificates can change. Undefined: no STARTTLS. */
  readonly tls: () => SecureContext | undefined
  readonly bareNewline: 'repair' | 'reject'
  /**
   * Whether DSN (RFC 3461) is offered. Whoever offers it owes what senders ask for: `mail/dsn` says what that is, and writes it.
   */
  readonly dsn: boolean
  readonly onConnect: OnConnect
  readonly limits: ServerLimits
  readonly budgets: ServerBudgets
}

export interface ServerLimits {
  /** Octets of content; SIZE in EHLO. */
  readonly messageBytes: number
  /** Accepted ones, in one transaction. */
  readonly recipients: number
  /** `Received:` fields after which a message is a loop (RFC 5321 §6.3). */
  readonly hops: number
  /** Errors after which a session ends with 421; from the fifth on each answer waits a second. */
  readonly errors: number
  /** Commands that led to no mail after which a session ends with 421. */
  readonly idleCommands: number
  /** Octets a second, over any minute of DATA. */
  readonly minimumRate: number
}

export interface ServerBudgets {
  /** For a whole command line. */
  readonly commandMs: number
  /** From the connection to the first MAIL. */
  readonly firstMailMs: number
  /** For a whole connection; a message that is coming in or being answered is not cut short. */
  readonly connectionMs: number
  /** Without an octet of DATA; or for a sender that does not take our replies. */
  readonly blockMs: number
  readonly messageMs: number
  readonly handshakeMs: number
}

export interface SmtpServerDeps {
  readonly clock: Clock
  readonly log: Log
}

/** The minute of `minimumRate`. */
export const rateWindowMs = 60_000
/** Octets of a command line with CRLF: RFC 5321 §4.5.3.1.4 asks for 512 and more for each extension. */
export const commandLineOctets = 2048
/** From so many errors on each answer to one more waits. */
export const errorsBeforeDelay = 5
export const errorDelayMs = 1_000
/** Recipients that were not accepted, behind the last message: RFC 5321 §4.5.3.1.10 lets a sender name more than are taken, and go on to DATA. */
export const fruitlessAtOnce = 200
/** What goes beyond them, or is accepted beyond what one message may have, waits a second for so many. */
export const fruitlessASecond = 100
/** `Received:` fields of our own that make a loop. */
export const ownHops = 5
