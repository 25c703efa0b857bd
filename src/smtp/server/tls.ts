/**
 * STARTTLS on the server's side (RFC 3207): the session calls it when its 220 is written.
 */
import { type SecureContext, TLSSocket } from 'node:tls'
import type { Clock } from '../../base/clock.ts'
import type { Client } from '../../mail/message.ts'
import type { Connection } from '../wire/connection.ts'

/**
 * Goes on in TLS. Octets that came in clear are thrown away, not run inside of TLS (RFC 3207 §4.2; CVE-2011-0411).
 * @returns what was agreed on, or undefined: the handshake failed or took too long, and the connection is destroyed
 */
export async function startTls(
  connection: Connection,
  context: SecureContext,
  handshakeMs: number,
  clock: Clock,
): Promise<NonNullable<Client['tls']> | undefined> {
  connection.flush()
  // Before the TLS socket is made, which would take what the socket below has read for its own.
  connection.discardInput()
  const tls = new TLSSocket(connection.socket, { isServer: true, secureContext: context })
  connection.become(tls)
  const isSecure = await new Promise<boolean>((resolve) => {
    const timer = clock.after(handshakeMs, () => resolve(false))
    const settle = (result: boolean) => {
      timer.cancel()
      resolve(result)
    }
    tls.once('secure', () => settle(true))
    // Half-closed is as good as closed: a handshake needs both sides.
    tls.once('end', () => settle(false))
    tls.once('close', () => settle(false))
  })
  if (!isSecure) {
    connection.destroy()
    return undefined
  }
  return { version: tls.getProtocol() ?? 'TLS', cipher: tls.getCipher()?.standardName ?? 'unknown' }
}
