/**
 * Who the sender says it is, by EHLO or HELO and over which TLS (RFC 3207), for `commands`: what it is offered depends on it, and without it there is
 * no mail.
 */
import type { SecureContext } from 'node:tls'
import type { Client } from '../../mail/message.ts'
import type { Connection } from '../wire/connection.ts'
import type { SmtpServerDeps, SmtpServerOptions } from './options.ts'
import type { SocketPeer } from './peer.ts'
import type { NamedReplies } from './replies.ts'
import { startTls } from './tls.ts'

export class Introduction {
  readonly #peer: SocketPeer
  readonly #options: SmtpServerOptions
  readonly #named: NamedReplies
  #client: Client | undefined
  #tls: Client['tls']

  constructor(peer: SocketPeer, options: SmtpServerOptions, named: NamedReplies) {
    this.#peer = peer
    this.#options = options
    this.#named = named
  }

  /** Undefined before EHLO or HELO. */
  get client(): Client | undefined {
    return this.#client
  }

  get isTls(): boolean {
    return this.#tls !== undefined
  }

  /** @param isEtrnOffered  to this sender @returns the answer, which says what we offer */
  hello(command: { readonly kind: 'ehlo' | 'helo'; readonly name: string }, isEtrnOffered: boolean): string {
    const isEsmtp = command.kind === 'ehlo'
    const { address, port } = this.#peer
    this.#client = { address, port, hello: command.name, esmtp: isEsmtp, tls: this.#tls }
    if (!isEsmtp) return this.#named.helo
    // RFC 3207 §4.2: not offered inside of TLS.
    const isTlsOffered = !this.isTls && this.#options.tls() !== undefined
    return this.#named.ehlo({ startTls: isTlsOffered, etrn: isEtrnOffered })
  }

  /** The handshake, behind our 220. What was said before it is forgotten (RFC 3207 §4.2). @returns whether it came about */
  async startTls(connection: Connection, context: SecureContext, deps: SmtpServerDeps): Promise<boolean> {
    this.#client = undefined
    this.#tls = await startTls(connection, context, this.#options.budgets.handshakeMs, deps.clock)
    return this.isTls
  }
}
