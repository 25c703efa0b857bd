/**
 * What one step of an outgoing session brought: a reply, or why there is none. `delivery/outcome.ts` tells the same to the gateway;
 * what it means is decided there.
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

/** The kinds and their meanings are those of `Fault` in `delivery/outcome.ts`. */
export interface ClientFault {
  readonly kind: 'refused' | 'unreachable' | 'timeout' | 'closed' | 'garbage' | 'rejected' | 'tls' | 'abandoned'
  readonly step: ClientStep
  readonly reply: Reply | undefined
  /** Words of ours and of the operating system, safe to print. */
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
