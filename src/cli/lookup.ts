/**
 * `waypost lookup`: which servers take mail for a domain or an address, in the order in which a sender tries them, and why.
 * Its table is made in `lookup-report.ts`. Exit codes: 0 there are some, 1 there is none and DNS is sure of it, 2 it could not be told.
 */
import { Command, InvalidArgumentError, Option } from 'commander'
import { systemClock } from '../base/clock.ts'
import { systemDoor } from '../base/door.ts'
import { type IpAddress, parseIp } from '../base/ip.ts'
import { silentLog } from '../base/log.ts'
import { printable } from '../base/printable.ts'
import { systemRandom } from '../base/random.ts'
import { type HostName, parseName, rootName } from '../dns/name.ts'
import { createResolver } from '../dns/resolver.ts'
import { type NameServer, parseNameServer } from '../dns/servers.ts'
import { parseMailbox } from '../mail/address.ts'
import {
  type ExchangerDeps,
  type ExchangerOptions,
  type Exchangers,
  literalExchanger,
  lookupExchangers,
} from '../routing/exchangers.ts'
import { type LookupReport, reportJson, reportText } from './lookup-report.ts'

interface Flags {
  readonly resolver?: readonly NameServer[]
  readonly private?: boolean
  readonly timeout: number
  readonly self?: readonly (HostName | IpAddress)[]
  readonly ipv4?: boolean
  readonly ipv6?: boolean
  readonly json?: boolean
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

Exit code: 0 there are servers, 1 there is none (null MX, no such domain, no mail host, loop), 2 it could not be told.`

/** The command, for `main.ts` to add. Sets `process.exitCode`. */
export function lookupCommand(): Command {
  return new Command('lookup')
    .summary('show which servers take mail for a domain, in order, and why')
    .description(
      'Shows which servers take mail for a domain or an address, in the order in which a sender tries them, and why.',
    )
    .argument('<name...>', 'domains, mail addresses, or IP addresses as in user@[192.0.2.1]')
    .option(
      '--resolver <address[:port]>',
      'name server to ask, may be repeated (default: those of the system)',
      collect(nameServer),
    )
    .option(
      '--self <name>',
      'our own name or address, may be repeated: what is not better is left out',
      collect(ownName),
    )
    .option('--private', 'take addresses too that not everybody reaches (RFC 6890)')
    .addOption(
      new Option('--timeout <time>', 'how long one question to DNS may take in all, such as 500ms or 10s')
        .argParser(timeout)
        .default(10_000, '10s'),
    )
    .addOption(new Option('-4, --ipv4', 'look up IPv4 addresses only').conflicts('ipv6'))
    .addOption(new Option('-6, --ipv6', 'look up IPv6 addresses only').conflicts('ipv4'))
    .option('--json', 'print one JSON object a line, for machines')
    .addHelpText('after', examples)
    .action(async (names: string[], flags: Flags) => {
      process.exitCode = await run(names, flags)
    })
}

async function run(names: readonly string[], flags: Flags): Promise<number> {
  const asked = names.map((name) => ({ name, asked: readName(name) }))
  const invalid = asked.filter(({ asked }) => asked.kind === 'invalid')
  for (const { name, asked } of invalid) {
    const why = asked.kind === 'invalid' ? asked.why : ''
    process.stderr.write(
      `waypost lookup: "${printable(name, 300)}" is no domain or mail address: ${printable(why, 300)}\n`,
    )
  }
  if (invalid.length > 0) return 2

  const resolver = createResolver(
    { servers: flags.resolver ?? [], deadlineMs: flags.timeout, timeoutMs: Math.min(2_000, flags.timeout) },
    { clock: systemClock, random: systemRandom, log: silentLog, door: systemDoor },
  )
  try {
    let worst = 0
    for (const [index, { name, asked: what }] of asked.entries()) {
      const found = await lookUp(what, flags, { resolver, random: systemRandom })
      const report: LookupReport = { asked: name, found }
      if (flags.json) process.stdout.write(`${reportJson(report)}\n`)
      else process.stdout.write(`${index > 0 ? '\n' : ''}${reportText(report)}`)
      worst = Math.max(worst, exitCode(found))
    }
    return worst
  } finally {
    resolver.close()
  }
}

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
  const parsed = parseName(text)
  if (parsed.kind === 'invalid') return parsed
  if (parsed.name === rootName) return { kind: 'invalid', why: 'the root is no mail domain' }
  // RFC 3696 §2: "127.1" is an address to some programs and a name to none.
  if (/(^|\.)(\d+|0x[0-9a-f]*)$/.test(parsed.name)) return { kind: 'invalid', why: 'its last label is a number' }
  return { kind: 'domain', domain: parsed.name }
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

/** For options that may be repeated. */
function collect<V>(read: (text: string) => V): (text: string, before: readonly V[] | undefined) => readonly V[] {
  return (text, before = []) => [...before, read(text)]
}

function nameServer(text: string): NameServer {
  const parsed = parseNameServer(text)
  if (parsed) return parsed
  throw new InvalidArgumentError(
    'It must be an IP address, with or without a port: 127.0.0.1, 127.0.0.1:5353, [::1]:53.',
  )
}

function ownName(text: string): HostName | IpAddress {
  const address = parseIp(text)
  if (address) return address
  const parsed = parseName(text)
  if (parsed.kind === 'name') return parsed.name
  throw new InvalidArgumentError('It must be a host name or an IP address.')
}

function timeout(text: string): number {
  const parts = /^(\d{1,6})(ms|s)?$/.exec(text)
  const milliseconds = Number(parts?.[1]) * (parts?.[2] === 'ms' ? 1 : 1000)
  if (milliseconds >= 50 && milliseconds <= 120_000) return milliseconds
  throw new InvalidArgumentError('It must be a time from 50ms to 120s, such as 500ms or 10s.')
}
