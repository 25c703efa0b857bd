/**
 * What one polite session with an exchanger brought, as plain data: each step a union on `kind`, so that "said", "failed" and "not said
 * (why)" are told apart. Made by `probe.ts`; judged by `checks`. Replies are the server's own text: it is printed through `base/printable`.
 */
import type { IpAddress } from '../base/ip.ts'
import type { TlsPeer, TlsVersion } from '../base/tls-peer.ts'
import type { HostName } from '../mail/address.ts'
import type { Reply } from '../mail/reply.ts'
import type { ClientFault } from './client/fault.ts'

/** Why a step was not taken. */
export type NotSaidReason =
  /** The probe was told to leave it out (`--probe polite`). */
  | 'not-wanted'
  /** An earlier step ended the session, or made this one pointless. */
  | 'not-reached'
  /** The server asked for patience (421, 450, 451) before, so it is left in peace. */
  | 'told-to-wait'
  /** No connection or no time was left for it. */
  | 'budget-spent'

export interface NotSaid {
  readonly kind: 'not-said'
  readonly reason: NotSaidReason
  /** In words of ours, safe to print. */
  readonly why: string
}

/** What came of one command. `tookMs`: from the command, or from the connection for the greeting, to the last line of the reply. */
export type Said =
  | { readonly kind: 'reply'; readonly reply: Reply; readonly tookMs: number }
  | { readonly kind: 'failed'; readonly fault: ClientFault; readonly tookMs: number }
  | NotSaid

export type Connected =
  | { readonly kind: 'connected'; readonly tookMs: number; readonly localAddress: IpAddress | undefined }
  | { readonly kind: 'failed'; readonly fault: ClientFault; readonly tookMs: number }
  /** The door did not open: the address is not public. */
  | { readonly kind: 'forbidden'; readonly why: string }
  | NotSaid

/** What the handshake was tried with. */
export interface HandshakeOffer {
  /** SNI; undefined: none was sent. */
  readonly serverName: HostName | undefined
  readonly minVersion: TlsVersion
  readonly maxVersion: TlsVersion
  /** The keys of certificates that we could use: `any`, or one kind alone. */
  readonly keys: 'any' | 'rsa' | 'ecdsa'
}

export type Handshake =
  | (TlsPeer & { readonly kind: 'secured'; readonly offer: HandshakeOffer; readonly tookMs: number })
  | {
      readonly kind: 'failed'
      readonly offer: HandshakeOffer
      /** `local`: our own library refused to go on, for instance because of its security level. */
      readonly side: 'peer' | 'local' | 'connection' | 'timeout'
      /** OpenSSL's or the system's code, words of ours beside it; safe to print. */
      readonly detail: string
      readonly tookMs: number
    }
  | NotSaid

export type RecipientPurpose =
  | 'postmaster' // postmaster@ the domain
  | 'bare-postmaster' // <Postmaster>, without a domain
  | 'abuse'
  | 'unknown' // a local part that nobody has
  | 'unknown-again' // another one
  | 'foreign' // in a domain that the server has nothing to do with
  | 'foreign-disguised' // the same by the % hack, a ! path, quotes or a source route
  | 'known' // an address that the user named

export interface AskedRecipient {
  readonly purpose: RecipientPurpose
  /** What stood between `<` and `>`. */
  readonly address: string
  /** `null`: `MAIL FROM:<>`; else our own sender. */
  readonly sender: string | null
  /** The answer to the MAIL in front of it; what it says of RCPT holds only where this was 2xx. */
  readonly mail: Said
  readonly said: Said
}

/** One more connection, for a question that needs its own. */
export interface ExtraHandshake {
  /** `old-tls`: 1.1 at most; `other-key`: a certificate for the kind of key that the first did not have. */
  readonly purpose: 'without-sni' | 'tls-1.2' | 'old-tls' | 'other-key'
  readonly connect: Connected
  readonly handshake: Handshake
}

export interface ProbedSession {
  readonly address: IpAddress
  readonly port: number
  /** Wall clock, milliseconds since 1970: when the connection was begun. */
  readonly startedAtMs: number
  readonly tookMs: number
  /** What we called ourselves. */
  readonly hello: string
  readonly connect: Connected
  readonly greeting: Said
  /** EHLO before TLS. */
  readonly ehlo: Said
  /** HELO, where EHLO was refused. */
  readonly helo: Said
  /** `MAIL FROM:<>` before TLS, where STARTTLS is offered: whether the server insists on TLS. */
  readonly mailInClear: Said
  readonly startTls: Said
  readonly handshake: Handshake
  /** EHLO under TLS. */
  readonly ehloInTls: Said
  /** `MAIL FROM:<>`, under TLS where there is TLS. */
  readonly mailFromNull: Said
  readonly recipients: readonly AskedRecipient[]
  /** Whether a command that came in one packet with STARTTLS was answered under TLS (RFC 3207 §4.2). */
  readonly injected: { readonly kind: 'answered' | 'ignored' } | NotSaid
  readonly quit: Said
  readonly extras: readonly ExtraHandshake[]
}

/** The keywords of a reply to EHLO, in capitals, with what stands behind each (RFC 5321 §4.1.1.1). The first line is no keyword. */
export function keywordsOf(said: Said): ReadonlyMap<string, string> {
  if (said.kind !== 'reply' || said.reply.code !== 250) return new Map()
  return new Map(
    said.reply.text.slice(1).map((line) => {
      const [keyword = '', ...parameters] = line.trim().split(/ +/)
      return [keyword.toUpperCase(), parameters.join(' ')]
    }),
  )
}

/** The EHLO that counts: the one under TLS where there is one, because extensions may differ before and after (RFC 3207 §4.2). */
export function lastHello(session: ProbedSession): Said {
  return session.ehloInTls.kind === 'reply' ? session.ehloInTls : session.ehlo
}
