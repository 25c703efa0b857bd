/**
 * What waypost.yaml says about domains, backends and routes. `config` puts it into the schema.
 */
import { z } from 'zod'
import {
  bareChoice,
  optionalChoice,
  optionalCount,
  optionalDurationOrOff,
  optionalFlag,
  section,
  table,
  text,
} from '../base/option.ts'

export const backendForms =
  'smtp://host[:port], smtps://host[:port], lmtp://host:port, lmtp:/path, maildir:/path, mx or mx:domain'

/** The most backends that one list takes. */
const mostBackends = 100

const to = text('The backend.', `a backend: ${backendForms}`)

const sharedBackendOptions = {
  tls: optionalChoice(
    'TLS towards the backend. `off`: never; `may`: where it is offered, unverified, and in clear where it fails (an offer that is refused for good is an alert); `require`: no mail without it, unverified. Default may.',
    ['off', 'may', 'require'],
  ),
  helo: text('The name that we say to the backend in EHLO. Default `hostname`.', 'a host name').optional(),
  connections: optionalCount(
    'Sessions with the backend at once. Of four or more an eighth, at least one, is kept for others than the client (an IPv4 address or an IPv6 /64) that has the rest: where all mail comes through one filter, allow so many more.',
    { default: 20, least: 1, most: 1000 },
  ),
}

export const backendEntry = section('A backend and its place in the route.', {
  to,
  preference: optionalCount('Lower is tried first; equal ones share the mail.', { default: 10, least: 0, most: 65535 }),
  weight: optionalCount('Share of the mail among backends of one preference.', { default: 1, least: 1, most: 1000 }),
  ...sharedBackendOptions,
  private: optionalFlag('For `mx`: exchangers may have private addresses. Default false.'),
})

const deliverWants = `a backend (${backendForms}), the name of a route, or a list of backends`

/** A backend, a list of them, or the name of one. */
const deliver = z
  .union(
    [
      text('A backend or the name of a route.', deliverWants),
      z
        .array(
          z.union([to, backendEntry], { error: `a backend, or keys: ${Object.keys(backendEntry.shape).join(', ')}` }),
        )
        .min(1, { error: 'at least one backend' })
        .max(mostBackends, { error: `at most ${mostBackends} backends` }),
    ],
    { error: ({ input }) => (isKeys(input) ? `${deliverWants}; keys stand in a list: [{ to: … }]` : deliverWants) },
  )
  .meta({
    description: `Where the mail goes: a backend (${backendForms}), the name of a list under \`routes\`, or a list of backends.`,
    wants: deliverWants,
  })

/** One backend with keys, and not in a list. */
function isKeys(input: unknown): boolean {
  return typeof input === 'object' && input !== null && !Array.isArray(input)
}

const noMailWants = `${deliverWants}, or none`

/** Of a domain, whose mail can be nobody's business here. The word is no backend and no name, so it passes as text. */
const deliverOfDomain = deliver
  .meta({
    description: `Where the mail goes: a backend (${backendForms}), the name of a list under \`routes\`, or a list of backends; \`none\`: its mail goes elsewhere, and its records alone are kept here.`,
    wants: noMailWants,
  })
  .optional()

/** What a domain says whose mail is not taken here. */
export const noDelivery = 'none'

const recipientsWants = 'ask, any, a list of local parts such as [info, sales], or { file: path }'

const sharedDomainOptions = {
  balance: optionalChoice('How backends of one preference share the mail. Default round-robin.', [
    'round-robin',
    'least-connections',
  ]),
  onDefer: optionalChoice(
    'What a 4yz reply of a backend about a recipient or a message means: `pass` tells it to the sender, `hold` keeps the message. 4.3.x, 4.4.x and a 421 say that the backend itself cannot, so another is asked, and the message is held where none can. Default pass.',
    ['pass', 'hold'],
  ),
  hold: optionalDurationOrOff(
    'How long mail is kept while no backend can take it; `off`: the sender hears 451 then, and must come again.',
    {
      default: '14d',
      least: '1m',
      most: '90d',
    },
  ),
  unknownRecipients: optionalChoice(
    'Recipients that no backend has accepted within 31 days, while none can be asked: `hold` takes their mail, `defer` asks the sender to come again. Default hold.',
    ['hold', 'defer'],
  ),
  refusedAfterHold: optionalChoice(
    'When a backend refuses what was held: `proven` tells senders whose address SPF had proven and keeps the rest for you, `dsn` tells all senders (forged ones too), `keep` tells nobody. Default proven.',
    ['proven', 'dsn', 'keep'],
  ),
  fanOut: optionalChoice(
    'Recipients of several routes in one transaction: `together` takes them all, on disk first; `split` asks the sender to send to the others separately. Default together.',
    ['together', 'split'],
  ),
  unknownWait: optionalDurationOrOff(
    'How long a message that a backend was given and gave no answer about goes to no other backend.',
    { default: '1h', least: '1m', most: '7d' },
  ),
  delayNotice: optionalDurationOrOff('After how long proven senders are told that their message waits.', {
    default: 'off',
    least: '5m',
    most: '30d',
  }),
  recipients: z
    .union(
      [
        bareChoice('ask: the backend says who exists; any: everybody does.', ['ask', 'any']),
        z.array(text('A local part.', 'a local part, such as info')).max(1_000_000),
        section(
          'One local part a line; # begins a comment. It is read at the start and at each reload: after a change say `waypost config reload`.',
          { file: text('The file.', 'a path') },
        ),
      ],
      { error: recipientsWants },
    )
    .optional()
    .meta({
      description:
        'Who exists in the domain: `ask` (the backend is asked), `any`, a list of local parts, or a file with one a line. Default ask.',
      wants: recipientsWants,
    }),
}

export const domainOptions = section('A mail domain.', {
  deliver: deliverOfDomain,
  ...sharedDomainOptions,
  addresses: table(
    'Single addresses that go elsewhere: `local@`, `prefix*@`, or a whole address under a `*.` domain.',
    'addresses with backends, such as "sales@": "smtp://10.0.0.20"',
    deliver,
  ).optional(),
})

export const defaultOptions = section('What domains share, each of which may say otherwise.', {
  deliver: deliverOfDomain,
  ...sharedDomainOptions,
  ...sharedBackendOptions,
}).prefault({})

export const domainsTable = table(
  'The domains whose mail Waypost takes. `"*.example.com"` covers subdomains, and not example.com itself; YAML wants the quotes.',
  'domains, such as "example.org: { deliver: mx }"',
  domainOptions,
).prefault({})

export const routingOptions = {
  domains: domainsTable,
  routes: table(
    'Lists of backends with names, to write `deliver: name`. Names are of a-z, 0-9 and hyphens.',
    'names with backends',
    deliver,
  ).prefault({}),
  defaults: defaultOptions,
  postmaster: deliver.optional().meta({
    description:
      'Where mail for postmaster goes when no domain takes it: a backend or a list. Default: the Maildir `postmaster` in the state folder.',
  }),
}

export { deliver as deliverOption }
export type Deliver = z.output<typeof deliver>
export type BackendEntry = z.output<typeof backendEntry>
export type DomainOptions = z.output<typeof domainOptions>
export type DefaultOptions = z.output<typeof defaultOptions>
export type RecipientsOption = DomainOptions['recipients']
