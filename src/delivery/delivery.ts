/**
 * The contract of a delivery, step by step, which SMTP, LMTP and Maildir fulfil alike: `begin` takes a session to one endpoint,
 * and the transaction on it ends in `data` or in `abandon`. Caller: `gateway/carry`, for senders who wait and for the drain.
 * Every moment (`…UntilMs`) is on the monotonic clock.
 */
import type { Cancel } from '../base/cancel.ts'
import type { Client, Envelope, Message, Recipient } from '../mail/message.ts'
import type { Endpoint } from '../routing/backend.ts'
import type { StepLimits } from '../smtp/client/step-limits.ts'
import type { DataOutcome, Fault, RecipientsOutcome } from './outcome.ts'

export interface Job {
  readonly id: string
  readonly client: Client
  readonly envelope: Envelope
  /** Tasks that wait for a session are served by this key in turn: the sender's address (`clientKey`). */
  readonly fairnessKey: string
  /** It comes from the hold: live mail goes before it, and it takes at most half of a backend's sessions. */
  readonly isFromHold?: boolean
}

/** A connection as the side sees it that was connected to. `local` may cost a system call, so it is read last. */
export interface ConnectionEnds {
  readonly address: string
  readonly port: number
  readonly local: { readonly address: string; readonly port: number }
}

export type Begun =
  | { readonly kind: 'begun'; readonly transaction: Transaction }
  /** All sessions are taken until `sessionUntilMs`: busy is not down. */
  | { readonly kind: 'busy' }
  /** No session could be made; health has been told already. */
  | { readonly kind: 'failed'; readonly fault: Fault }

export interface Delivery {
  /**
   * Takes an idle session of the endpoint's pool, which needs no waiting, or opens one, or waits for one.
   * @param sessionUntilMs  the end of waiting for a place in the pool
   * @param readyUntilMs  the end of connect, greeting, EHLO and TLS together
   * @param steps  the most for each step of the transaction; default: as where somebody waits
   * @param fresh  a session that has served nobody yet
   * @param cancel  the end of all waiting at once: it resolves as failed, 'abandoned'; what was being opened for it is broken off, or goes to
   *   somebody else who waits
   */
  begin(
    endpoint: Endpoint,
    job: Job,
    limits: { sessionUntilMs: number; readyUntilMs: number; steps?: StepLimits; fresh?: boolean; cancel?: Cancel },
  ): Begun | Promise<Begun>
  /** Connects, greets, says EHLO (and STARTTLS where required) and QUIT, or sees whether the Maildir can be written: is it up? Tells health, as every opening does. */
  probe(endpoint: Endpoint, readyUntilMs: number): Promise<{ kind: 'up' } | { kind: 'failed'; fault: Fault }>
  /** Sessions that are taken or being opened, for `balance: least-connections` and for people. */
  sessions(endpoint: Endpoint): { readonly busy: number; readonly idle: number; readonly waiting: number }
  /** Whether the other end of a connection that was made to us is a session of ours: we are talking to ourselves. */
  isOurs(peer: ConnectionEnds): boolean
  /**
   * The end: idle sessions hear QUIT, those in use or being opened are broken off (a step that waits resolves as abandoned), and later
   * `begin`s fail as abandoned. Whoever wants the others to end first waits before.
   */
  close(): Promise<void>
}

export interface Transaction {
  /**
   * Sends MAIL (with the first call; pipelined with RCPT where offered) and RCPT for each recipient. May be called again, until `data`.
   * @param untilMs  the end of waiting for the last reply
   * @param isLast  these are all, and `data` follows at once where any is accepted: DATA may go along
   */
  askRecipients(
    recipients: readonly Recipient[],
    limits: { mailUntilMs: number; untilMs: number; isLast?: boolean },
  ): Promise<RecipientsOutcome>
  /**
   * DATA, trace and body, the dot. Needs at least one accepted recipient. The transaction is over with it, whatever comes.
   * @param bodyUntilMs  a body that is not transferred by then: the connection is closed without the dot (lost)
   * @param untilMs  the end of waiting for the reply to the dot (unknown)
   * @param onDotLeft  called when the operating system has taken our dot: from here on the backend may have the message
   */
  data(message: Message, limits: { bodyUntilMs: number; untilMs: number; onDotLeft?: () => void }): Promise<DataOutcome>
  /** Recipients that this session has accepted: what it says behind the dot is of those alone. */
  readonly acceptedCount: number
  /** How many more recipients the backend may refuse before this SMTP session must serve nobody else: ask for no more at once. */
  readonly refusalsLeft: number
  /**
   * What we owe the sender of each recipient with SUCCESS in its NOTIFY, once the backend has taken the message (RFC 3461 §5.2): nothing
   * where the backend offers DSN and was told, `relayed` where it does not, `delivered` where the mailbox is ours.
   */
  readonly owedOnSuccess: 'relayed' | 'delivered' | undefined
  /** The address that we are connected from, where the session is over TCP. */
  readonly localAddress: string | undefined
  /**
   * Ends the transaction without a message, at any time, also while a step waits (which then resolves as lost, 'abandoned', before
   * the dot, and unknown after it). Between steps the session goes back to the pool behind RSET; within DATA the connection is destroyed.
   */
  abandon(): void
}

/** Where deliveries tell what they see of an endpoint: only connect, greeting, EHLO and required TLS count. */
export interface HealthReports {
  opened(endpoint: Endpoint): void
  failed(endpoint: Endpoint, fault: Fault): void
}
