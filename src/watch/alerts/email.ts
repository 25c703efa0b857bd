/**
 * Alerts by mail, through a server that is named for it: another way than the routes, one of which may be what the alert is about. Nodemailer speaks SMTP, over
 * a socket that our door has opened; with `user` the password goes under verified TLS alone (RFC 8314 §3).
 */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { errorCode } from '../../base/error-code.ts'
import { type IpAddress, isIpv6 } from '../../base/ip.ts'
import { printable } from '../../base/printable.ts'
import type { EmailOptions } from '../options.ts'
import type { AlertMessage } from './alerting.ts'
import { addressesOf, type ChannelDeps, findAuthorities } from './http-channel.ts'
import type { Channel, Undelivered } from './sending.ts'
import { type Speaker, subjectOf, textOf } from './wording.ts'

const timeoutMs = 20_000

export function createEmail(options: EmailOptions, speaker: Speaker, deps: ChannelDeps): Channel {
  const { to, via, least } = options
  const place = `${isIpv6(via.host as IpAddress) ? `[${via.host}]` : via.host}:${via.port}`
  return {
    name: `mail to ${printable(to.join(', '), 200)} by ${place}`,
    least,
    deliver: (message) => mail(message, options, speaker, deps),
  }
}

async function mail(
  message: AlertMessage,
  options: EmailOptions,
  speaker: Speaker,
  deps: ChannelDeps,
): Promise<Undelivered | undefined> {
  const { via, user, password, to, from = `waypost@${speaker.hostname}` } = options
  const secret = password && (await deps.readSecret(password))
  if (secret?.kind === 'missing') return { why: secret.why, isFinal: false }
  const authorities = await findAuthorities(options.ca, deps)
  if (authorities.kind === 'missing') return { why: authorities.why, isFinal: false }
  const { ca } = authorities
  const connection = await connect(via, deps)
  if (!('remoteAddress' in connection)) return connection
  // Loaded when it is needed: most gateways never send one.
  const { createTransport } = await import('nodemailer')
  const transport = createTransport({
    connection,
    host: via.host,
    port: via.port,
    secure: via.isTls,
    name: speaker.hostname,
    // Whoever gives a password away must know to whom; without one, mail is better than silence.
    requireTLS: user !== undefined,
    tls: { rejectUnauthorized: user !== undefined, ...(ca === undefined ? {} : { ca }) },
    ...(user === undefined ? {} : { auth: { user, pass: secret?.text ?? '' } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  try {
    await transport.sendMail({
      from: `Waypost <${from}>`,
      to: [...to],
      subject: subjectOf(message, speaker),
      text: textOf(message),
      // RFC 3834 §5: nobody's holiday answers this.
      headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
      date: new Date(message.atMs),
    })
    return undefined
  } catch (error) {
    return whyNot(error)
  } finally {
    transport.close()
    connection.destroy()
  }
}

async function connect(via: EmailOptions['via'], deps: ChannelDeps): Promise<Socket | Undelivered> {
  let why = `${via.host} has no address`
  for (const address of (await addressesOf(via.host, deps)).slice(0, 4)) {
    const opening = deps.door.open('webhook', { kind: 'tcp', address, port: via.port }, true)
    if (opening.kind === 'forbidden') return { why: opening.why, isFinal: true }
    const { socket } = opening
    const timer = deps.clock.after(timeoutMs, () =>
      socket.destroy(Object.assign(new Error('late'), { code: 'ETIMEDOUT' })),
    )
    try {
      await once(socket, 'connect')
      return socket
    } catch (error) {
      socket.destroy()
      why = `no connection to ${address} (${errorCode(error) ?? 'unknown'})`
    } finally {
      timer.cancel()
    }
  }
  return { why, isFinal: false }
}

/** The server's words are printable ones of others; a 5yz is its last word (RFC 5321 §4.2.1). */
function whyNot(error: unknown): Undelivered {
  const { responseCode, response, code, command } = error as {
    responseCode?: number
    response?: string
    code?: string
    command?: string
  }
  if (responseCode === undefined && code === undefined) throw error
  const said = responseCode === undefined ? String(code) : `${response ?? responseCode} to ${command ?? 'the message'}`
  return { why: printable(`the server said ${said}`, 200), isFinal: responseCode !== undefined && responseCode >= 500 }
}
