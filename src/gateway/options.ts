/**
 * What waypost.yaml says about the gateway as a whole: its name, its state, how long a sender waits.
 * `config` puts it into the schema.
 */
import { isIpv6, type Network, parseIp, parseNetwork, whyNoNetwork } from '../base/ip.ts'
import { choice, duration, list, optionalSize, parsed, type Read, section, text } from '../base/option.ts'
import { type HostName, isHostName, parseName } from '../dns/name.ts'
import { type Mailbox, parseMailbox } from '../mail/address.ts'
import { deliverOption } from '../routing/options.ts'

/** Reads a host name as it may stand in EHLO (RFC 5321 §2.3.5). */
export function readHostName(input: string): Read<HostName> {
  const name = parseName(input)
  if (name.kind === 'invalid') return { kind: 'no', why: `is no name: ${name.why}` }
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

/** Reads a network as `trusted` may have it: who believes half of the Internet believes everybody. */
function readTrusted(input: string): Read<Network> {
  const network = parseNetwork(input)
  if (network === undefined) return { kind: 'no', why: whyNoNetwork(input) ?? '' }
  const least = isIpv6(network.address) ? 16 : 8
  if (network.bits < least) return { kind: 'no', why: `is wider than /${least}` }
  return { kind: 'value', value: network }
}

function readAuthor(input: string): Read<Mailbox> {
  const parsed = parseMailbox(input)
  if (parsed.kind === 'invalid') return { kind: 'no', why: parsed.why }
  if (parsed.mailbox.domain === undefined) return { kind: 'no', why: 'has no domain' }
  return { kind: 'value', value: parsed.mailbox }
}

const anHour = { least: '1ms', most: '1h' }

/** A number or a switch is no folder that anybody meant. */
const isFolderName = (text: string) => !/^(?:[\d.,_]*\d[\d.,_]*|true|false|yes|no|on|off)$/i.test(text)

const notAFolderName = 'a path, such as ./waypost-data; where a folder of this name is meant, write "./" in front of it'

export const gatewayOptions = {
  hostname: parsed(
    'Our name, in the greeting, in EHLO and in Received. Default: the name of this machine where it has a dot, else localhost.localdomain.',
    'a full host name, such as mx1.example.com',
    readHostName,
  ).optional(),

  state: text(
    'The folder that Waypost keeps its state in. It is made where it is missing, for its owner alone.',
    'a path',
  )
    .refine(isFolderName, { error: notAFolderName })
    .prefault('./waypost-data'),

  log: section(
    'The log, beside what goes to standard error.',
    {
      file: text(
        'A file that gets the log too, a JSON object a line, whatever `--log` says. It is opened again on SIGHUP, so that it can be rotated. `waypost trace` reads it.',
        'a path',
      ).optional(),
    },
    '{ file: /var/log/waypost/mail.log }',
  ).prefault({}),

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

  eightBit: choice(
    '8-bit text for a backend that offers no 8BITMIME (RFC 6152 §3): `pass` sends it as it is, because to convert it breaks DKIM signatures, `refuse` answers 554 5.6.3.',
    ['pass', 'refuse'],
    'pass',
  ),

  trusted: list(
    'Networks of relays that know their senders: what comes from them counts as proven, so their senders are told when held mail is refused; and none is turned away for what others have guessed through it. At most a /8, or an IPv6 /16.',
    'a list of networks, such as ["10.20.0.0/16"]',
    parsed('A network.', 'a network such as "10.20.0.0/16" or "2001:db8::/32", or an address', readTrusted),
    1000,
  ),

  outbound: section('How mail of our own goes out: notices about mail that was held, to domains that are not ours.', {
    via: deliverOption.optional().meta({
      description: 'The backend that takes all of it, or a list. Default: the exchangers (MX) of each domain.',
    }),
    from: parsed(
      'Whom people see as its author. Default: postmaster at `hostname`.',
      'an address, such as postmaster@example.com',
      readAuthor,
    ).optional(),
  }).prefault({}),

  shutdownGrace: duration('How long sessions in progress may take to end when Waypost stops.', {
    default: '60s',
    least: '0s',
    most: '1h',
  }),

  budgets: section(
    'How long the sender may have to wait, phase by phase. The defaults are right for the Internet. What is held has longer: nobody waits for it.',
    {
      connect: duration(
        'Opening a session, from connecting to the answer to EHLO, with all backends of the route that are tried together.',
        { default: '25s', ...anHour },
      ),
      mail: duration(
        'The answers to MAIL of all backends that are asked, one after the other, where they come no further. One backend gets 30s at most.',
        { default: '50s', ...anHour },
      ),
      rcpt: duration(
        'The answers to MAIL and to all recipients that go to one route together, with all backends that are asked. One backend gets 60s at most for one answer to RCPT. Opening sessions is not counted, because `connect` bounds it: so a group of recipients is answered within `connect` and `rcpt` together.',
        { default: '100s', ...anHour },
      ),
      dot: duration(
        "From the sender's final dot to our answer, with all backends that are tried, and connecting to them.",
        { default: '270s', ...anHour },
      ),
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
      firstMail: duration('From the connection of a sender to its first MAIL.', {
        default: '10m',
        least: '1ms',
        most: '1d',
      }),
      connection: duration('A whole connection of a sender; a message that is on its way in is not cut short.', {
        default: '1h',
        least: '1ms',
        most: '1d',
      }),
      block: duration('Waiting for a block of the message of the sender.', { default: '3m', ...anHour }),
      message: duration('A whole message of the sender.', { default: '30m', least: '1ms', most: '1d' }),
      handshake: duration('The TLS handshake of the sender.', { default: '30s', ...anHour }),
    },
  ).prefault({}),
}

/** For the section `limits`. */
export const mailboxLimitOptions = {
  postmaster: optionalSize(
    'How much the Maildir of postmaster in the state folder may hold, 4 KiB a message at least, read messages counted in; beyond it, and from one client network (/24, /48) that is not under `trusted` beyond 100 messages or a quarter of it an hour, postmaster hears nobody: 452. Default: a tenth of what the hold may have, 1 GiB at most.',
    { least: '64KiB', most: '1000000GiB', example: '200MiB' },
  ),
}
