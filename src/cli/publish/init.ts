/**
 * `waypost init`: a first waypost.yaml for a domain, made of what is live and of a few answers: flags for scripts, questions at a terminal. What it
 * writes is checked as any configuration before it says so; a file that is there is never overwritten.
 */
import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { hostname as machineName } from 'node:os'
import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { systemClock } from '../../base/clock.ts'
import { errorCode } from '../../base/error-code.ts'
import type { Read } from '../../base/option.ts'
import { printable } from '../../base/printable.ts'
import { loadConfig } from '../../config/load.ts'
import { formatProblems } from '../../config/source.ts'
import type { HostName } from '../../dns/name.ts'
import { type NameServer, nameServerText } from '../../dns/servers.ts'
import { readHostName } from '../../gateway/options.ts'
import type { LiveDomain, LiveExchanger } from '../../publish/declare/live-domain.ts'
import { declarationLines } from '../../publish/declare/write-declaration.ts'
import { domainArgument } from '../publishing/flags.ts'
import type { ExitCode, Run, Terminal } from '../terminal.ts'
import { type LiveFlags, liveFlags, lookAtAll } from './import.ts'

interface InitFlags extends LiveFlags {
  readonly output: string
  readonly hostname?: string
  readonly publisher?: PublisherWord
  readonly at?: string
  readonly deliver?: string
}

const publisherWords = ['rfc2136', 'zonefile', 'powerdns', 'cloudflare', 'route53', 'builtin', 'none'] as const
type PublisherWord = (typeof publisherWords)[number]

export interface InitDeps {
  /** Asks a person for a line; undefined where there is none to ask. An empty answer is the usual one. */
  readonly askLine: ((question: string) => Promise<string>) | undefined
}

export function initCommand(run: Run, deps: InitDeps): Command {
  const command = new Command('init')
    .summary('write a first waypost.yaml for a domain')
    .description(
      'Looks at what is live, recognises the provider, asks what it cannot know, and writes a waypost.yaml that is right. Never overwrites one.',
    )
    .argument('<domain...>', 'domains', domainArgument)
    .addOption(new Option('-o, --output <file>', 'where to').default('waypost.yaml'))
    .option('--hostname <name>', 'the full name of this machine, as mail servers see it, such as mx1.example.com')
    .addOption(new Option('--publisher <kind>', 'where the DNS records are kept').choices(publisherWords))
    .option('--at <place>', 'of the publisher: the address of a server, the path of a zone file, the URL of an API')
    .option('--deliver <backend>', 'take mail in, too, and hand it to this server, such as smtp://192.0.2.10')
  for (const option of liveFlags()) command.addOption(option)
  return command
    .addHelpText(
      'after',
      `
Exit code: 0 written, 1 a domain does not exist or an answer is wrong, 2 it could not be read or written.

Examples:
  waypost init example.com
  waypost init example.com --hostname mx1.example.com --publisher rfc2136 --at 192.0.2.53`,
    )
    .action((domains: readonly HostName[], flags: InitFlags) => run((terminal) => init(domains, flags, terminal, deps)))
}

interface Answers {
  readonly hostname: HostName
  readonly publisher: PublisherWord
  readonly at: string
  readonly deliver: string | undefined
  /** Nobody said it, and nobody was there to be asked. */
  readonly guessed: ReadonlySet<'hostname' | 'at'>
}

async function init(
  domains: readonly HostName[],
  flags: InitFlags,
  terminal: Terminal,
  deps: InitDeps,
): Promise<ExitCode> {
  const path = resolve(flags.output)
  // Before anybody is asked anything.
  if (existsSync(path)) return notWritten(path, isThere, terminal)
  const name = flags.hostname === undefined ? undefined : readFullName(flags.hostname, domains[0] as HostName)
  if (name?.kind === 'no') {
    terminal.err(`waypost: --hostname: ${name.why}\n`)
    return 1
  }
  const lives: LiveDomain[] = []
  const exit = await lookAtAll(domains, flags, terminal, ({ live }) => lives.push(live))
  if (exit !== 0) return exit
  for (const { domain, mx } of lives)
    terminal.err(
      mx === undefined
        ? `${domain} has no MX records yet.\n`
        : `${domain} has ${inOrder(mx.exchangers)
            .map(({ preference, host }) => `${preference} ${host}`)
            .join(', ')}.\n`,
    )
  const answers = await answersOf(flags, domains[0] as HostName, deps)
  if (typeof answers === 'string') {
    terminal.err(`waypost: ${answers}\n`)
    return 1
  }
  const exitOfWriting = await write(configText(lives, answers, flags), path, terminal)
  const guessed = [
    ...(answers.guessed.has('hostname') ? [`hostname: ${answers.hostname}`] : []),
    ...(answers.guessed.has('at') ? [`the place of the DNS records: ${answers.at}`] : []),
    // Nobody is asked for it.
    ...(answers.publisher === 'zonefile' ? ['the command that has the server read its file again (reload)'] : []),
  ]
  if (exitOfWriting === 0 && guessed.length > 0)
    terminal.err(
      `waypost: guessed, because nobody said it: ${printable(guessed.join(', '), 500)}; see that it is right\n`,
    )
  return exitOfWriting
}

/** A server answers with them in any order. */
const inOrder = (exchangers: readonly LiveExchanger[]) =>
  exchangers.toSorted((a, b) => a.preference - b.preference || (a.host < b.host ? -1 : 1))

async function answersOf(flags: InitFlags, domain: HostName, { askLine }: InitDeps): Promise<Answers | string> {
  const asked = async (given: string | undefined, question: string, usual: string) =>
    given ?? ((await askLine?.(`${question} [${usual}]`)) || usual)
  const guessed = new Set<'hostname' | 'at'>()
  if (flags.hostname === undefined && !askLine) guessed.add('hostname')
  const name = await asked(flags.hostname, 'The full name of this machine, as mail servers see it?', usualName(domain))
  const full = readFullName(name, domain)
  if (full.kind === 'no') return full.why
  const word = await asked(flags.publisher, `Where are its DNS records kept (${publisherWords.join(', ')})?`, 'none')
  const publisher = publisherWords.find((each) => each === word)
  if (publisher === undefined) return `"${printable(word, 100)}" is none of ${publisherWords.join(', ')}`
  const question = places[publisher]
  if (question === undefined && flags.at !== undefined)
    return `--at says where ${Object.keys(places).join(', ')} keep records; with "${publisher}" there is no such place`
  const at = question === undefined ? '' : await asked(flags.at, question.says, question.usual(domain))
  if (question !== undefined && flags.at === undefined && !askLine) guessed.add('at')
  return { hostname: full.value, publisher, at, deliver: flags.deliver, guessed }
}

function readFullName(name: string, domain: HostName): Read<HostName> {
  const read = readHostName(name)
  const why = read.kind === 'no' ? read.why : read.value.includes('.') ? undefined : 'has no dot'
  if (why === undefined) return read
  return {
    kind: 'no',
    why: `"${printable(name, 100)}" is no full host name: it ${why}. Labels of a-z, 0-9 and "-" with dots between them, such as mx1.${domain}`,
  }
}

const usualName = (domain: HostName) => (machineName().includes('.') ? machineName() : `waypost.${domain}`)

const places: Readonly<Partial<Record<PublisherWord, { says: string; usual: (domain: HostName) => string }>>> = {
  rfc2136: { says: 'The address of the primary name server?', usual: () => '127.0.0.1' },
  zonefile: { says: 'The zone file?', usual: (domain) => `/etc/bind/db.${domain}` },
  powerdns: { says: 'The URL of the API?', usual: () => 'http://127.0.0.1:8081' },
}

function configText(
  lives: readonly LiveDomain[],
  { hostname, publisher, at, deliver, guessed }: Answers,
  { resolver, server }: LiveFlags,
): string {
  const name = publisher === 'none' ? undefined : publisher === 'builtin' ? 'builtin' : 'dns'
  const entries = lives.flatMap((live) => [
    ...declarationLines(live, name),
    ...(deliver === undefined
      ? []
      : [`    deliver: ${JSON.stringify(deliver)} # the gateway takes its mail in and hands it there`]),
  ])
  return `# What Waypost knows of your mail. "waypost config check" says whether it is in order, "waypost plan" what would change in DNS.
${livenessText(lives, server)}
hostname: ${hostname}${guessed.has('hostname') ? guessedMark : ''}
${resolver === undefined ? '' : `resolver: { servers: ${JSON.stringify(resolver.map(nameServerText))} } # as --resolver said\n`}${publisher === 'builtin' ? 'listen: { dns: "127.0.0.1:5353" } # where the built-in DNS server answers\n' : ''}
domains:
${entries.join('\n')}
${publisherText(publisher, at, lives, guessed.has('at') ? guessedMark : '')}`
}

const guessedMark = ' # guessed: see that it is right'

/** A plan asks where the records are kept, which need not be the server that was asked here. */
const livenessText = (lives: readonly LiveDomain[], server: NameServer | undefined) =>
  lives.some(({ isSecondHand }) => isSecondHand)
    ? '# This is what a resolver said when it was written, where the name servers of a domain could not be asked: see that it is right.'
    : server === undefined
      ? '# This is what was live when it was written: a plan made of it changes nothing.'
      : `# This is what ${nameServerText(server)} said when it was written: where others say the same, a plan made of it changes nothing.`

function publisherText(publisher: PublisherWord, at: string, lives: readonly LiveDomain[], mark: string): string {
  const place = JSON.stringify(at)
  const variable = (name: string) => `"${'$'}{${name}}"`
  switch (publisher) {
    case 'none':
    case 'builtin':
      return ''
    case 'rfc2136':
      return `
publishers:
  dns:
    type: rfc2136
    server: ${place}${mark}
    tsig: # the key that the server knows; its secret comes from the environment
      name: waypost
      secret: ${variable('TSIG_SECRET')}
`
    case 'zonefile':
      return `
publishers:
  dns:
    type: zonefile
    path: ${lives.length > 1 ? JSON.stringify(at.replace(lives[0]?.domain ?? '', '{zone}')) : place}${mark}
    reload: [rndc, reload, "{zone}"] # guessed: the command that has your server read it again; see that it is right
`
    case 'powerdns':
      return `
publishers:
  dns:
    type: powerdns
    url: ${place}${mark}
    apiKey: ${variable('PDNS_API_KEY')}
`
    case 'cloudflare':
      return `
publishers:
  dns:
    type: cloudflare # not run against the real thing yet: look at the first plan closely
    token: ${variable('CLOUDFLARE_API_TOKEN')} # it needs "DNS: edit" of the zone
`
    case 'route53':
      return `
publishers:
  dns:
    type: route53 # not run against the real thing yet: look at the first plan closely
    accessKeyId: ${variable('AWS_ACCESS_KEY_ID')}
    secretAccessKey: ${variable('AWS_SECRET_ACCESS_KEY')}
`
  }
}

const isThere = 'is there already, and is not overwritten; name another with -o FILE'

function notWritten(path: string, why: string, terminal: Terminal): ExitCode {
  terminal.err(`waypost: ${printable(path, 300)} ${why}\n`)
  return 2
}

async function write(text: string, path: string, terminal: Terminal): Promise<ExitCode> {
  const shown = printable(path, 300)
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    const code = errorCode(error)
    if (code === undefined) throw error
    return notWritten(path, code === 'EEXIST' ? isThere : `cannot be written (${code})`, terminal)
  }
  const loaded = await loadConfig(path, { clock: systemClock, machineName: machineName() })
  if (loaded.kind === 'invalid') {
    // An answer that only the whole could judge, such as a path or an address.
    await rm(path, { force: true })
    terminal.err(`${formatProblems(loaded.problems)}\nwaypost: nothing was written; answer otherwise\n`)
    return 1
  }
  terminal.out(`${shown} is written, and in order. See what it says, and then: waypost plan -c ${shown}\n`)
  return 0
}
