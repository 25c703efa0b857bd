/**
 * `waypost import dns`: the live setup of domains as entries of waypost.yaml, on standard output. Changes nothing. Exit codes: 0 all were read, 1 one of
 * them does not exist, 2 one could not be read.
 */
import { Command, InvalidArgumentError, Option } from 'commander'
import { systemClock } from '../../base/clock.ts'
import { systemDoor } from '../../base/door.ts'
import { silentLog } from '../../base/log.ts'
import { printable } from '../../base/printable.ts'
import { systemRandom } from '../../base/random.ts'
import type { HostName } from '../../dns/name.ts'
import { createResolver } from '../../dns/resolver.ts'
import { type NameServer, parseNameServer } from '../../dns/servers.ts'
import { createTransport } from '../../dns/transport.ts'
import { type LiveDeps, type LookedAt, lookAtDomain } from '../../publish/declare/live-domain.ts'
import { declarationLines } from '../../publish/declare/write-declaration.ts'
import { createProgress } from '../progress.ts'
import { domainArgument } from '../publishing/flags.ts'
import { createStatusLine, type ExitCode, type Run, type Terminal } from '../terminal.ts'

export interface LiveFlags {
  readonly resolver?: readonly NameServer[]
  /** Asked in place of the domain's own servers. */
  readonly server?: NameServer
  readonly private?: boolean
}

interface ImportFlags extends LiveFlags {
  readonly publish?: string
}

export function importDnsCommand(run: Run): Command {
  const command = new Command('import').summary('write what is live as a declaration')
  command.addHelpText('after', '\nExample:\n  waypost import dns example.com > waypost.yaml')
  const dns = command
    .command('dns')
    .description(
      'Looks at the MX records of domains, and at the addresses and policies beside them, and prints them as waypost.yaml declares them. Changes nothing.',
    )
    .argument('<domain...>', 'domains', domainArgument)
    .option('--publish <name>', 'the name under publishers: to write into each')
  for (const option of liveFlags()) dns.addOption(option)
  dns
    .addHelpText(
      'after',
      `
Exit code: 0 all were read, 1 one of them does not exist, 2 one could not be read.

Examples:
  waypost import dns example.com > waypost.yaml
  waypost import dns example.com example.org --publish office-dns`,
    )
    .action((domains: readonly HostName[], flags: ImportFlags) =>
      run((terminal) => importDomains(domains, flags, terminal)),
    )
  return command
}

export function liveFlags(): Option[] {
  const server = (text: string): NameServer => {
    const parsed = parseNameServer(text)
    if (parsed) return parsed
    throw new InvalidArgumentError('It must be an IP address, with or without a port.')
  }
  return [
    new Option(
      '--resolver <address[:port]>',
      'name server to ask, may be repeated (default: those of the system)',
    ).argParser((text: string, before: readonly NameServer[] | undefined) => [...(before ?? []), server(text)]),
    new Option('--server <address[:port]>', 'authoritative server to ask (default: those that DNS names)').argParser(
      server,
    ),
    new Option('--private', 'ask name servers, too, at addresses that not everybody reaches (RFC 6890)'),
  ]
}

async function importDomains(
  domains: readonly HostName[],
  { publish, ...flags }: ImportFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const lines: string[] = []
  const exit = await lookAtAll(domains, flags, terminal, (looked) =>
    lines.push(...declarationLines(looked.live, publish)),
  )
  if (lines.length > 0) terminal.out(`domains:\n${lines.join('\n')}\n`)
  return exit
}

const secondHand =
  'its own name servers could not be asked, so this is what a resolver said, without TTLs; name one by --server, or say --private for those at private addresses'

/** Tells of those that could not be read, and hands the others on. */
export async function lookAtAll(
  domains: readonly HostName[],
  { resolver: servers, server, private: isPrivate = false }: LiveFlags,
  terminal: Terminal,
  found: (looked: Extract<LookedAt, { kind: 'live' }>) => void,
): Promise<ExitCode> {
  const tools = { clock: systemClock, random: systemRandom, door: systemDoor }
  const resolver = createResolver({ servers: servers ?? [] }, { ...tools, log: silentLog })
  const transport = createTransport(tools)
  const deps: LiveDeps = { clock: systemClock, resolver, transport, isPrivate }
  const all = [...new Set(domains)]
  let at = ''
  const progress = createProgress(() => at, createStatusLine(), terminal, systemClock, true)
  let exit = 0 as ExitCode
  try {
    for (const [index, domain] of all.entries()) {
      at = `asking for ${domain}${all.length === 1 ? '' : `, ${index + 1} of ${all.length}`}`
      const looked = await lookAtDomain(domain, deps, server && [server])
      progress.clear()
      if (looked.kind === 'live') {
        if (looked.live.isSecondHand) terminal.err(`waypost: ${domain}: ${secondHand}\n`)
        found(looked)
      } else {
        const why = looked.kind === 'no-such-domain' ? 'there is no such domain' : printable(looked.why, 300)
        terminal.err(`waypost: ${domain}: ${why}\n`)
        exit = looked.kind === 'failed' || exit === 2 ? 2 : 1
      }
    }
  } finally {
    progress.end()
    resolver.close()
    transport.close()
  }
  return exit
}
