/**
 * What one step of an outgoing session brought: a reply, or why there is none. `delivery/outcome.ts` tells it on to the gateway, where
 * its meaning is decided.
 */
import type { Reply } from '../../mail/reply.ts'

export type ClientStep =
  | 'connect'
  | 'greeting'
  | 'hello'
  | 'starttls'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'body'
  | 'dot'
  | 'rset'
  | 'noop'
  | 'quit'

/** The server or the way to it failed: there was no reply that is about the message. */
export interface ClientFault {
  readonly kind:
    | 'refused' // TCP said no (ECONNREFUSED, no such socket)
    | 'unreachable' // any other failure to connect
    | 'timeout' // silence to the end of the step's time
    | 'closed' // the connection ended in the middle
    | 'garbage' // what came is no SMTP reply, or is longer than a reply may be
    | 'rejected' // greeting, EHLO or STARTTLS was answered 4yz or 5yz: `reply`
    | 'tls' // the handshake failed where TLS is required, or hung
    | 'abandoned' // we ourselves gave up: the sender has gone, or the gateway stops
  readonly step: ClientStep
  readonly reply: Reply | undefined
  /** For the log: words of ours and of the operating system. Safe to print. */
  readonly detail: string
}

export interface Failed {
  readonly kind: 'failed'
  readonly fault: ClientFault
}

export type Answer = { readonly kind: 'reply'; readonly reply: Reply } | Failed

export const failed = (kind: ClientFault['kind'], step: ClientStep, detail: string, reply?: Reply): Failed => ({
  kind: 'failed',
  fault: { kind, step, reply, detail },
})
