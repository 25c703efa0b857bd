/**
 * What waypost.yaml says about the gateway as a whole: its name, its state, how long a sender waits (SEMANTICS.md §5, §13, §14).
 * `config` puts it into the schema.
 */
import { parseIp } from '../base/ip.ts'
import { choice, duration, list, parsed, type Read, section, text } from '../base/option.ts'
import { type HostName, isHostName, parseName } from '../dns/name.ts'

/** Reads a host name as it may stand in EHLO (RFC 5321 §2.3.5). */
export function readHostName(input: string): Read<HostName> {
  const name = parseName(input)
  if (name.kind === 'invalid') return { kind: 'no', why: `is ${name.why}` }
  if (parseIp(input) !== undefined) return { kind: 'no', why: 'is an address' }
  if (!isHostName(name.name)) return { kind: 'no', why: 'has characters that no host name has' }
  // RFC 1123 §2.1: a name whose last label is a number would be read as an address.
  if (/(^|\.)\d+$/.test(name.name)) return { kind: 'no', why: 'ends in a number' }
  return { kind: 'value', value: name.name }
}

const readAddress = (input: string) => {
  const address = parseIp(input)
  return address === undefined ? ({ kind: 'no', why: '' } as const) : ({ kind: 'value', value: address } as const)
}

const anHour = { least: '1ms', most: '1h' }

export const gatewayOptions = {
  hostname: parsed(
    'Our name, in the greeting, in EHLO and in Received. Default: the name of this machine where it has a dot, else localhost.localdomain.',
    'a full host name, such as mx1.example.com',
    readHostName,
  ).optional(),

  state: text(
    'The folder that Waypost keeps its state in. It is made where it is missing, for its owner alone.',
    'a path',
  ).prefault('./waypost-data'),

  publicAddresses: list(
    'Our addresses as the world sees them, where NAT hides them: so that we know ourselves in an MX set.',
    'a list of IP addresses',
    parsed('An address.', 'an IP address', readAddress),
    100,
  ),

  bareNewline: choice(
    'A bare LF within a message (RFC 5321 §2.3.8): `repair` makes it CRLF, `reject` refuses the message.',
    ['repair', 'reject'],
    'repair',
  ),

  shutdownGrace: duration('How long sessions in progress may take to end when Waypost stops.', {
    default: '60s',
    least: '0s',
    most: '1h',
  }),

  budgets: section('How long the sender may have to wait, phase by phase. The defaults are right for the Internet.', {
    connect: duration('Connect to EHLO, over all candidates.', { default: '25s', ...anHour }),
    mail: duration('The answer to MAIL.', { default: '50s', ...anHour }),
    rcpt: duration('The answer to each RCPT.', { default: '100s', ...anHour }),
    dot: duration("From the sender's final dot to our answer.", { default: '270s', ...anHour }),
    bodyReserve: duration("What `dot` keeps back for the backend's answer once the body is there.", {
      default: '30s',
      ...anHour,
    }),
    session: duration('Waiting for a free session with a backend that is busy.', { default: '10s', ...anHour }),
    sessionIdle: duration('How long a backend session waits for the body before others get it.', {
      default: '1s',
      ...anHour,
    }),
    command: duration('Waiting for a command of the sender (RFC 5321 §4.5.3.2.7).', { default: '5m', ...anHour }),
    block: duration('Waiting for a block of the message of the sender.', { default: '3m', ...anHour }),
    message: duration('A whole message of the sender.', { default: '30m', least: '1ms', most: '1d' }),
    handshake: duration('The TLS handshake of the sender.', { default: '30s', ...anHour }),
  }).prefault({}),
}
