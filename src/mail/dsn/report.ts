/**
 * What a notification is written from, as plain data that can be stored, and who is owed one (RFC 3461 §5.2). Made by the gateway when
 * a held message was refused, has expired or is late, or was taken by a backend that notifies nobody; read by `write.ts`.
 */
import type { IpAddress } from '../../base/ip.ts'
import type { HostName, Mailbox } from '../address.ts'
import type { Notify } from '../dsn-request.ts'
import type { Client, Envelope, Recipient } from '../message.ts'
import type { Reply } from '../reply.ts'
import type { DsnAction, DsnStatus } from './status.ts'

/** One recipient, and what became of the message for it. */
export type DsnRecipient = RecipientFacts &
  (
    | { readonly action: 'failed' | 'relayed' | 'delivered' }
    /** `willRetryUntilMs`: when it will be given up. */
    | { readonly action: 'delayed'; readonly willRetryUntilMs?: number | undefined }
  )

export interface RecipientFacts {
  readonly recipient: Recipient
  /** What the last attempt brought; undefined where nothing was learnt. A failure of class 4 is one of time. */
  readonly status: DsnStatus | undefined
  /** Only where a server answered: what it said last about this recipient. Its host is our own name where it is a process of this machine. */
  readonly remote?: { readonly host: HostName | IpAddress; readonly reply: Reply } | undefined
  /** Wall clock. */
  readonly lastAttemptMs?: number | undefined
}

/** Moments are wall clock, milliseconds. */
export interface DsnReport {
  /** Of the notification itself, unique for all time: its Message-ID. */
  readonly id: string
  /** When it is written. */
  readonly atMs: number
  /** Our own name; mail to its postmaster is read (RFC 3461 §9.3). */
  readonly hostname: HostName
  /** Whom people see as its author, and answer to; left out: our postmaster. */
  readonly from?: Mailbox | undefined
  /** Of the message that it is about. */
  readonly envelope: Pick<Envelope, 'sender' | 'ret' | 'envid'>
  readonly client: Pick<Client, 'address' | 'hello'> | undefined
  readonly messageId: string
  readonly arrivedMs: number
  readonly recipients: readonly DsnRecipient[]
}

/** Whether the message came with SMTPUTF8: an address beyond ASCII does not go without (RFC 6531 §3.3). */
export const isInternational = ({ envelope: { sender }, recipients }: DsnReport): boolean =>
  [sender, ...recipients.map(({ recipient }) => recipient)].some((mailbox) => mailbox && isBeyondAscii(mailbox))

/** Whether mail to it needs SMTPUTF8. */
export const isBeyondAscii = ({ text }: Mailbox): boolean => /[^\0-\x7f]/.test(text)

/**
 * Whether the sender of a recipient with this NOTIFY is to hear of the event. Failure yes, delay yes, success no where nothing was
 * asked. A null reverse-path is owed nothing in any case.
 */
export function isOwed(action: DsnAction, notify: Notify | undefined): boolean {
  switch (action) {
    case 'failed':
      return asks(notify, 'FAILURE') ?? true // RFC 3461 §5.2.6
    case 'delayed':
      return asks(notify, 'DELAY') ?? true // RFC 3461 §5.2.5
    case 'relayed':
    case 'delivered':
      return asks(notify, 'SUCCESS') ?? false // RFC 3461 §5.2.2, §5.2.3
  }
}

const asks = (notify: Notify | undefined, event: 'SUCCESS' | 'FAILURE' | 'DELAY') => notify?.split(',').includes(event)
