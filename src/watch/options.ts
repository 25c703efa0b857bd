/** What waypost.yaml says about watching and about whom it tells: each option once, with default, unit, range and a sentence. */
import { z } from 'zod'
import {
  bareCount,
  choice,
  duration,
  list,
  optionalDurationOrOff,
  parsed,
  type Read,
  secret,
  section,
  text,
} from '../base/option.ts'
import { parseMailbox } from '../mail/address.ts'
import { type ChannelUrl, parseChannelUrl } from './channel-url.ts'
import { type MailServer, parseMailServer } from './mail-server.ts'

const no = (why: string) => ({ kind: 'no', why }) as const
const value = <Value>(of: Value) => ({ kind: 'value', value: of }) as const

function readAddress(input: string): Read<string> {
  const mailbox = parseMailbox(input)
  if (mailbox.kind === 'invalid') return no(mailbox.why)
  return mailbox.mailbox.domain === undefined ? no('has no domain') : value(mailbox.mailbox.text)
}

function readUrl(input: string): Read<ChannelUrl> {
  const url = parseChannelUrl(input)
  return url.kind === 'url' ? value(url.url) : no(url.why)
}

function readServer(input: string): Read<MailServer> {
  const server = parseMailServer(input)
  return server.kind === 'server' ? value(server.server) : no(server.why)
}

function readTimeOfDay(input: string): Read<number> {
  const parts = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(input)
  return parts ? value(Number(parts[1]) * 60 + Number(parts[2])) : no('')
}

const least = choice('The least severity that this hears of.', ['notice', 'warning', 'error'], 'warning')
const address = parsed('An address.', 'an address such as admin@example.net', readAddress)
const timeOfDay = (says: string) => parsed(says, 'a time of day such as "22:00"', readTimeOfDay)
const urlWants = `a URL such as https://hooks.example.net/x, or a secret that holds one: "\${NAME}" or "file:path"`
const url = z
  .union([secret('Where the URL is kept.'), parsed('The URL.', urlWants, readUrl)], { error: urlWants })
  .meta({
    description: `Where to. A URL that is a secret itself is kept elsewhere: "\${NAME}" or "file:path".`,
    wants: urlWants,
  })

const emailExample = '{ to: [admin@example.net], via: "smtps://mail.example.net" }'

const email = section(
  'People who hear by mail.',
  {
    to: list('Whom it goes to.', 'a list of addresses, such as [admin@example.net]', address, 50),
    from: parsed(
      'Whom it is from. Default: waypost at `hostname`.',
      'an address such as waypost@example.net',
      readAddress,
    ).optional(),
    via: parsed(
      'The server that takes it: another way than the one that may be broken, so it is never one of the routes. `smtps://` is TLS from the first octet; with `smtp://` TLS is used where it is offered.',
      'a server such as smtp://mail.example.net:587',
      readServer,
    ),
    user: text(
      'Who we are to that server. Then TLS is required, and its certificate must be right.',
      'a name',
    ).optional(),
    password: secret('The password for `user`.').optional(),
    ca: text('PEM of authorities to trust in place of the roots that everybody trusts.', 'a path').optional(),
    least,
  },
  emailExample,
)

const webhook = section('A URL that hears by HTTP POST.', {
  url,
  form: choice(
    '`json`: all fields (docs/watching.md); `slack`: a text for Slack, Mattermost and the like; `matrix`: a message into a room.',
    ['json', 'slack', 'matrix'],
    'json',
  ),
  room: text('With `form: matrix`: the room, by its id.', 'a room such as "!abc:example.org"').optional(),
  token: secret('Sent as `Authorization: Bearer …`.').optional(),
  ca: text('PEM of authorities to trust in place of the roots that everybody trusts.', 'a path').optional(),
  least,
})

const command = section('A program that hears.', {
  run: list(
    'The program and its arguments; no shell reads them. It gets the JSON of the webhook on standard input, and 30 seconds.',
    'a list of words such as ["/usr/local/bin/page", "--now"]',
    text('A word.', 'a word'),
    100,
  ),
  least,
})

export const watchOptions = {
  watch: section('Looking at all of it again and again, and keeping what was seen.', {
    checks: optionalDurationOrOff(
      'How often each declared domain is checked within `waypost serve`. `waypost watch` uses it too, and 1h where it is off.',
      { default: 'off', least: '1m', most: '30d' },
    ),
    probe: choice(
      'How much is asked of exchangers over SMTP: `full` asks for an unknown recipient and for relaying too, `none` speaks no SMTP.',
      ['polite', 'full', 'none'],
      'polite',
    ),
    backendDownFor: duration('How long a backend must be down before it is an alert.', {
      default: '30s',
      least: '0s',
      most: '1d',
    }),
    queueOlderThan: duration('How old held mail must be before it is an alert.', {
      default: '15m',
      least: '1s',
      most: '30d',
    }),
    certificateEndsWithin: duration('How long before its end the certificate of `tls` is an alert.', {
      default: '14d',
      least: '1h',
      most: '90d',
    }),
    settle: duration(
      'How long something must be in order again before its end is told: what comes and goes within this is one alert.',
      { default: '5m', least: '0s', most: '1d' },
    ),
  }).prefault({}),

  alerts: section('Who hears of what is wrong. Without any of them it is only kept.', {
    email: list('People who hear by mail.', `a list, such as [${emailExample}]`, email, 20),
    webhook: list(
      'URLs that hear by HTTP POST.',
      'a list, such as [{ url: "https://hooks.example.net/x" }]',
      webhook,
      20,
    ),
    command: list('Programs that hear.', 'a list of { run: [program, argument] }', command, 20),
    group: duration('What comes within this is told together.', { default: '30s', least: '0s', most: '1h' }),
    interval: duration('The least time between two messages.', { default: '5m', least: '0s', most: '1d' }),
    repeat: optionalDurationOrOff('How often what is still wrong is told again.', {
      default: '1d',
      least: '5m',
      most: '30d',
    }),
    quiet: section(
      'Hours, by the clock of this machine, in which only errors are told; the rest waits until they are over.',
      {
        from: timeOfDay('Their beginning.'),
        until: timeOfDay('Their end.'),
        errors: choice('Whether errors are told in these hours all the same.', ['tell', 'wait'], 'tell'),
      },
    ).optional(),
    ping: section(
      'A dead man’s switch: a URL that is asked for as long as all is alive here, and that somebody else watches.',
      {
        url,
        every: duration('How often.', { default: '5m', least: '10s', most: '1d' }),
        ca: text('PEM of authorities to trust in place of the roots that everybody trusts.', 'a path').optional(),
      },
    ).optional(),
    tries: bareCount('How often a message is tried, with growing pauses, before it is given up.', {
      least: 1,
      most: 20,
    })
      .prefault('6')
      .meta({ default: 6 }),
  }).prefault({}),
}

const whole = z.strictObject(watchOptions)
export type WatchOptions = z.output<typeof whole>['watch']
export type AlertOptions = z.output<typeof whole>['alerts']
export type EmailOptions = AlertOptions['email'][number]
export type WebhookOptions = AlertOptions['webhook'][number]
export type CommandOptions = AlertOptions['command'][number]
