/**
 * `waypost lookup`: which servers take mail for a domain or an address, in the order in which a sender tries them, and why.
 * Its table is made in `report.ts`. Exit codes: 0 there are some, 1 there is none and DNS is sure of it, 2 it could not be told.
 */
import { Command, InvalidArgumentError, Option } from 'commander'
import { systemClock } from '../../base/clock.ts'
import { systemDoor } from '../../base/door.ts'
import { errorCode } from '../../base/error-code.ts'
import { type IpAddress, parseIp } from '../../base/ip.ts'
import { silentLog } from '../../base/log.ts'
import { printable } from '../../base/printable.ts'
import { systemRandom } from '../../base/random.ts'
import { type HostName, parseName } from '../../dns/name.ts'
import { createResolver } from '../../dns/resolver.ts'
import type { NameServer } from '../../dns/servers.ts'
import { parseMailbox } from '../../mail/address.ts'
import {
  type ExchangerDeps,
  type ExchangerOptions,
  type Exchangers,
  literalExchanger,
  lookupExchangers,
} from '../../routing/exchangers.ts'
import type { Declared } from '../check/domains.ts'
import { configOption, findConfig } from '../config-path.ts'
import { fileErrorText } from '../file-error.ts'
import { Misuse } from '../misuse.ts'
import { collect, countReader, nameServer, readDomain, timeReader } from '../option-readers.ts'
import { processTerminal } from '../terminal.ts'
import { lookUpList } from './list.ts'
import { type LookupReport, reportJson, reportText } from './report.ts'

interface Flags {
  readonly config?: string
  readonly resolver?: readonly NameServer[]
  readonly private?: boolean
  readonly timeout: number
  readonly self?: readonly (HostName | IpAddress)[]
  readonly ipv4?: boolean
  readonly ipv6?: boolean
  readonly json?: boolean
  readonly input?: string
  readonly concurrency: number
  readonly quiet?: boolean
}

type Asked =
  | { readonly kind: 'domain'; readonly domain: HostName }
  | { readonly kind: 'literal'; readonly address: IpAddress }
  | { readonly kind: 'invalid'; readonly why: string }

const examples = `
Examples:
  waypost lookup example.com
  waypost lookup someone@example.com --resolver 127.0.0.1:5353 --json
  waypost lookup example.com --self mx2.example.com      as the gateway mx2.example.com sees it
  waypost lookup --input domains.txt > mx.jsonl           the MX records of many

Of a domain the 50 preferred exchangers are looked up, and of each the first 100 addresses of each family; ten addresses in all are listed. What is
left out is said.

Exit code: 0 there are servers, 1 there is none (null MX, no such domain, no mail host, loop), 2 it could not be told.`

/** The command, for `main.ts` to add. Sets `process.exitCode`. */
export function lookupCommand(): Command {
  return new Command('lookup')
    .summary('show which servers take mail for a domain, in order, and why')
    .description(
      'Shows which servers take mail for a domain or an address, in the order in which a sender tries them, and why.',
    )
    .argument('[name...]', 'domains, mail addresses, or IP addresses as in user@[192.0.2.1]')
    .option(
      '--input <file>',
      'the MX records of many domains, one a line; - for standard input; one JSON object a line',
    )
    .addOption(
      new Option('--concurrency <number>', 'with --input: questions at once')
        .argParser(countReader(1, 2000))
        .default(500),
    )
    .option(
      '--resolver <address[:port]>',
      'name server to ask, may be repeated (default: what waypost.yaml says, then those of the system)',
      collect(nameServer),
    )
    .addOption(configOption())
    .option(
      '--self <name>',
      'our own name or address, may be repeated: what is not better is left out',
      collect(ownName),
    )
    .option('--private', 'take addresses too that not everybody reaches (RFC 6890)')
    .addOption(
      new Option('--timeout <time>', 'how long one question to DNS may take in all, such as 500ms or 10s')
        .argParser(timeReader(50, 120_000))
        .default(10_000, '10s'),
    )
    .addOption(new Option('-4, --ipv4', 'look up IPv4 addresses only').conflicts('ipv6'))
    .addOption(new Option('-6, --ipv6', 'look up IPv6 addresses only').conflicts('ipv4'))
    .option('--json', 'print one JSON object a line, for machines')
    .option('-q, --quiet', 'with --input: no progress')
    .addHelpText('after', examples)
    .action(async (names: string[], flags: Flags) => {
      process.exitCode = await run(names, flags)
    })
}

async function run(names: readonly string[], flags: Flags): Promise<number> {
  if (flags.input !== undefined) return runList(names, flags.input, flags)
  if (names.length === 0) {
    throw new Misuse('name a domain, or a file of them with --input FILE')
  }
  const asked = names.map((name) => ({ name, asked: readName(name) }))
  const wrong = asked.flatMap(({ name, asked }) =>
    asked.kind === 'invalid'
      ? [`"${printable(name, 300)}" is no domain or mail address: ${printable(asked.why, 300)}`]
      : [],
  )
  if (wrong.length > 0) throw new Misuse(...wrong)
  const declared = await readConfig(flags)
  if (!declared) return 2

  const resolver = createResolver(resolverOptions(flags, declared), {
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    door: systemDoor,
  })
  try {
    let worst = 0
    for (const [index, { name, asked: what }] of asked.entries()) {
      const found = await lookUp(what, flags, { resolver, random: systemRandom })
      const report: LookupReport = { asked: name, found }
      if (flags.json) processTerminal.out(`${reportJson(report)}\n`)
      else processTerminal.out(`${index > 0 ? '\n' : ''}${reportText(report)}`)
      worst = Math.max(worst, exitCode(found))
      tellOwn(found, declared, flags)
    }
    return worst
  } finally {
    resolver.close()
  }
}

/** What waypost.yaml says, where there is one, by the rules of `waypost check`: reading it takes more code than a look-up. */
async function readConfig({ config }: Flags): Promise<Said | undefined> {
  if (findConfig(config).kind === 'none') return { hostname: undefined, resolvers: [] }
  const { readDeclared } = await import('../check/domains.ts')
  return readDeclared(config, false, processTerminal)
}

type Said = Pick<Declared, 'hostname' | 'resolvers'>

/** The list is what senders see; the gateway itself leaves out what is not better than itself (RFC 5321 §5.1). */
function tellOwn(found: Exchangers, { hostname }: Said, { self, json }: Flags): void {
  if (json || self !== undefined || hostname === undefined || found.kind !== 'candidates') return
  if (found.candidates.some(({ host }) => host === hostname))
    processTerminal.err(`${hostname} is this gateway; with --self ${hostname} the list is as it sees it.\n`)
}

async function runList(names: readonly string[], input: string, flags: Flags): Promise<number> {
  if (names.length > 0) {
    throw new Misuse('domains are named, and --input names more: use one of them')
  }
  const declared = await readConfig(flags)
  if (!declared) return 2
  const resolver = createResolver(
    // Each is asked once, so nothing is worth keeping.
    { ...resolverOptions(flags, declared), cacheEntries: 0, pipelines: true },
    { clock: systemClock, random: systemRandom, log: silentLog, door: systemDoor },
  )
  try {
    const { concurrency, quiet } = flags
    const deps = { resolver, clock: systemClock, terminal: processTerminal }
    return await lookUpList({ input, concurrency, isQuiet: quiet === true }, deps)
  } catch (error) {
    if (errorCode(error) === undefined) throw error
    processTerminal.err(`waypost: ${fileErrorText(error)}\n`)
    return 2
  } finally {
    resolver.close()
  }
}

const resolverOptions = ({ resolver, timeout }: Flags, { resolvers }: Said) => ({
  servers: resolver ?? resolvers,
  deadlineMs: timeout,
  timeoutMs: Math.min(2_000, timeout),
})

function lookUp(asked: Asked, flags: Flags, deps: ExchangerDeps): Exchangers | Promise<Exchangers> {
  if (asked.kind === 'invalid') throw new TypeError('names are judged before they are looked up')
  const isPrivate = flags.private === true
  if (asked.kind === 'literal') return literalExchanger(asked.address, isPrivate)
  const own = flags.self ?? []
  const options: Partial<ExchangerOptions> = {
    ownNames: own.filter((one): one is HostName => parseIp(one) === undefined),
    ownAddresses: own.filter((one): one is IpAddress => parseIp(one) !== undefined),
    private: isPrivate,
    families: flags.ipv4 ? 'ipv4' : flags.ipv6 ? 'ipv6' : 'both',
  }
  return lookupExchangers(asked.domain, options, deps)
}

function exitCode(found: Exchangers): number {
  if (found.kind === 'candidates') return 0
  return found.kind === 'temporary-failure' ? 2 : 1
}

/** A mail address, an address literal, an address, or a domain in any spelling that people use. */
function readName(text: string): Asked {
  const literal = parseIp(text) ?? parseIp(/^\[(?:IPv6:)?([^\]]+)\]$/i.exec(text)?.[1] ?? '')
  if (literal) return { kind: 'literal', address: literal }
  const at = text.lastIndexOf('@')
  if (at >= 0) return readAddress(text, at)
  return readDomain(text)
}

function readAddress(text: string, at: number): Asked {
  // A local part of any letters (RFC 6531) leads to the same servers, so that of the address is checked only where it is ASCII.
  const domainText = text.slice(at + 1)
  const domain = parseName(domainText)
  const ascii = domain.kind === 'name' ? `${text.slice(0, at).replace(/[^\0-\x7f]/g, 'x')}@${domain.name}` : text
  const parsed = parseMailbox(ascii)
  if (parsed.kind === 'invalid') return { kind: 'invalid', why: parsed.why }
  const { literal, domain: name } = parsed.mailbox
  if (literal) return { kind: 'literal', address: literal }
  return name ? readName(name) : { kind: 'invalid', why: 'it has no domain' }
}

function ownName(text: string): HostName | IpAddress {
  const address = parseIp(text)
  if (address) return address
  const parsed = parseName(text)
  // No exchanger is called by a name without a dot: it would leave nothing out.
  if (parsed.kind === 'name' && parsed.name.includes('.')) return parsed.name
  throw new InvalidArgumentError('It must be a whole host name, such as mx1.example.com, or an IP address.')
}
