/**
 * What the server says by itself, encoded once. What handlers say is encoded as it comes (`mail/reply.ts`).
 */
import type { DataFault } from '../wire/data-decoder.ts'
import type { SmtpServerOptions } from './options.ts'

export const replies = {
  earlyGreeting: '554 You talked before the greeting\r\n', // RFC 5321 §3.1; no enhanced code in a greeting (RFC 2034 §4)
  notAfterEarlyTalk: '503 5.5.1 No service after talking before the greeting; only QUIT\r\n',
  ok: '250 2.0.0 Ok\r\n',
  bye: '221 2.0.0 Bye\r\n',
  verify: '252 2.5.0 Send the mail, and it will be seen\r\n',
  notImplemented: '502 5.5.1 Command not implemented\r\n',
  help: '214 2.0.0 See RFC 5321\r\n',
  goAhead: '354 End with a line that holds a dot alone\r\n',
  readyForTls: '220 2.0.0 Go ahead with TLS\r\n',
  alreadyTls: '503 5.5.1 TLS is active already\r\n',
  helloFirst: '503 5.5.1 Say EHLO first\r\n',
  mailFirst: '503 5.5.1 Say MAIL first\r\n',
  noRecipients: '554 5.5.1 No valid recipients\r\n', // RFC 5321 §3.3
  etrnInMail: '503 5.5.1 Not within a transaction\r\n', // RFC 1985 §5
  nestedMail: '503 5.5.1 A transaction is open already\r\n',
  tooManyRecipients: '452 4.5.3 Too many recipients; send the rest in another transaction\r\n', // RFC 5321 §4.5.3.1.10
  tooBig: '552 5.3.4 The message is larger than SIZE allows\r\n',
  loop: '554 5.4.6 The message has been through too many servers, or through this one before\r\n',
  pipelined: '503 5.5.0 Octets behind a command that must be the last of its group\r\n', // RFC 2920 §3.1
  foreign: '554 5.5.0 This is SMTP\r\n',
  tooManyErrors: '421 4.7.0 Too many errors\r\n',
  tooManyIdle: '421 4.7.0 Too many commands without a mail\r\n',
  timeout: '421 4.4.2 Too long without a command\r\n',
  noMail: '421 4.4.2 Too long without a mail\r\n',
  tooOld: '421 4.4.2 The connection has been open for too long\r\n',
  tooSlow: '421 4.4.2 The message comes too slowly\r\n',
  shutdown: '421 4.3.2 Shutting down\r\n',
  internal: '421 4.3.0 Internal error\r\n',
} as const

/** What the sender hears at its dot when its content cannot be passed on. */
export const faultReplies: Readonly<Record<DataFault, string>> = {
  'bare-lf': '550 5.5.2 The message holds a bare LF\r\n',
  'bare-cr': '554 5.6.0 The message holds a bare CR\r\n',
  nul: '554 5.6.0 The message holds a NUL\r\n',
  'dot-line': '554 5.6.0 The message holds a dot line that does not end in CRLF on both sides\r\n',
}

/** The replies that name us, made once for each set of options. */
export interface NamedReplies {
  readonly greeting: string
  readonly helo: string
  ehlo(offered: { readonly startTls: boolean; readonly etrn: boolean }): string
}

export function namedReplies(options: SmtpServerOptions): NamedReplies {
  const { hostname, limits } = options
  const keywords = [hostname, 'PIPELINING', `SIZE ${limits.messageBytes}`, '8BITMIME', 'ENHANCEDSTATUSCODES']
  if (options.dsn) keywords.push('DSN') // RFC 3461 §3
  // RFC 1985 §2
  const ehlo = [keywords, [...keywords, 'ETRN']].map((some) => [multiline(some), multiline([...some, 'STARTTLS'])])
  return {
    greeting: `220 ${hostname} ESMTP\r\n`,
    helo: `250 ${hostname}\r\n`,
    ehlo: ({ startTls, etrn }) => ehlo[Number(etrn)]?.[Number(startTls)] ?? '',
  }
}

const multiline = (lines: readonly string[]) =>
  lines.map((line, index) => `250${index === lines.length - 1 ? ' ' : '-'}${line}\r\n`).join('')
