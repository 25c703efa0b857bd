/**
 * What waypost.yaml says about taking mail in: listeners, TLS, limits. `config` puts it into the schema.
 */
import { readListenAddress } from '../base/listen-address.ts'
import { count, oneOrMore, optionalFlag, parsed, section, size, text } from '../base/option.ts'

const listenAddress = parsed(
  'Where SMTP listens.',
  'an IP address and a port, such as "0.0.0.0:25" or "[::]:25"',
  readListenAddress,
)

export const smtpOptions = {
  listen: section('Where Waypost listens.', {
    smtp: oneOrMore(
      'Addresses for SMTP. `[::]` takes IPv6 only, so write `0.0.0.0` beside it. Port 0 lets the system choose.',
      'an address such as "127.0.0.1:2525", or a list of them',
      listenAddress,
      100,
    ).prefault('127.0.0.1:2525'),
    dsn: optionalFlag(
      'Whether senders may ask for delivery status notifications (RFC 3461). Offered only where mail can be held. Default true.',
    ),
  }).prefault({}),

  tls: section(
    'The certificate for STARTTLS. Without it STARTTLS is not offered.',
    {
      certificate: text('PEM file: the certificate, then those that lead to its root.', 'the path of a PEM file'),
      key: text('PEM file: the private key.', 'the path of a PEM file'),
    },
    '{ certificate: /etc/waypost/mx.pem, key: /etc/waypost/mx.key }',
  ).optional(),
}

/** For the section `limits`. */
export const senderLimitOptions = {
  messageBytes: size('The largest message; told to senders as SIZE (RFC 1870).', {
    default: '50MiB',
    least: '64KiB',
    most: '2GiB',
  }),
  recipients: count('Recipients of one message (RFC 5321 §4.5.3.1.8 asks for at least 100).', {
    default: 1000,
    least: 100,
    most: 100_000,
  }),
  connections: count('Connections at once.', { default: 10_000, least: 1, most: 1_000_000 }),
  connectionsPerAddress: count('Connections at once from one IPv4 address or one IPv6 /64.', {
    default: 50,
    least: 1,
    most: 1_000_000,
  }),
  connectionsPerNetwork: count('Connections at once from one IPv4 /24 or one IPv6 /48.', {
    default: 200,
    least: 1,
    most: 1_000_000,
  }),
  connectionRate: count(
    'New connections a second from one IPv4 address or one IPv6 /64, and four times as many from one /24 or /48; what is not used is saved up for 10 seconds. Connections from this machine (127.0.0.0/8, ::1) are not counted.',
    { default: 100, least: 1, most: 1_000_000 },
  ),
  bodyMemory: size('Memory for message bodies over all sessions; beyond it they go to files.', {
    default: '256MiB',
    least: '1MiB',
    most: '64GiB',
  }),
  spool: size('Message bodies on their way in, in memory and in files together; a quarter of it for one network.', {
    default: '2GiB',
    least: '1MiB',
    most: '1024GiB',
  }),
  hops: count('`Received:` lines after which a message is taken for a loop (RFC 5321 §6.3).', {
    default: 100,
    least: 10,
    most: 1000,
  }),
  errors: count('Errors after which a session ends.', { default: 20, least: 1, most: 10_000 }),
  idleCommands: count('Commands in a row that lead to no mail (NOOP, RSET, VRFY, EHLO) after which a session ends.', {
    default: 100,
    least: 1,
    most: 10_000,
  }),
  refusedPerConnection: count('Refused recipients after which a connection ends with 421.', {
    default: 10,
    least: 1,
    most: 100_000,
  }),
  refusedPerMinute: count(
    'Refused recipients a minute of one address after which it hears 450 and no backend is asked. So many lines a minute of one address the log has of each kind of refusal.',
    { default: 30, least: 1, most: 100_000 },
  ),
  minimumRate: count('Octets a second, over any minute, that a sender must keep up within DATA.', {
    default: 500,
    least: 1,
    most: 1_000_000,
  }),
}
