/**
 * `waypost migrate`: moves a domain from the exchangers that are live to others, in safe steps. It begins one, shows where it stands, turns it back;
 * the steps themselves are done by `waypost apply`, or here with `--apply` (`step.ts`).
 */

import { Command, InvalidArgumentError, Option } from 'commander'
import { systemClock } from '../../base/clock.ts'
import { printable } from '../../base/printable.ts'
import { type HostName, isHostName, parseName } from '../../dns/name.ts'
import { createTransport } from '../../dns/transport.ts'
import { type Declaration, declaredExchangers } from '../../publish/declare/declaration.ts'
import { type BeginRequest, beginMigration } from '../../publish/migrate/begin-migration.ts'
import type { Migration } from '../../publish/migrate/migration.ts'
import { loadMigration, loadMigrations, removeMigration, saveMigration } from '../../publish/migrate/migration-file.ts'
import { nextStep, turnBack } from '../../publish/migrate/next-step.ts'
import type { RefusalRule } from '../../publish/plan/consequences.ts'
import { configOption } from '../config-path.ts'
import { fileErrorText } from '../file-error.ts'
import { Misuse } from '../misuse.ts'
import { noteMove } from '../note-with-gateway.ts'
import { type PublishFlags, publishFlags } from '../publishing/flags.ts'
import { openPublishing, type Publishing } from '../publishing/publishing.ts'
import { whyUndeclared } from '../publishing/why-undeclared.ts'
import type { ExitCode, Run, Terminal } from '../terminal.ts'
import { seconds, waitTime } from '../time-argument.ts'
import { endUnwritten } from './end-unwritten.ts'
import { whyUntaken } from './recipients.ts'
import { migrationJson, migrationText } from './report.ts'
import { declaredOf, stepMigration, tellOfOldSide, whyMissing } from './step.ts'
import { readSpf, readWanted } from './where-to.ts'

interface MigrateFlags extends PublishFlags {
  readonly allow: ReadonlySet<RefusalRule>
  readonly to?: string
  readonly set?: Readonly<Record<string, string>>
  /** Seconds. */
  readonly lowTtl?: number
  /** `true`: those of the provider. */
  readonly spf?: string | true
  readonly recipients?: string
  readonly apply?: boolean
  readonly yes?: boolean
  readonly abort?: boolean
  readonly forget?: boolean
  readonly json?: boolean
  readonly wait: number
}

export interface MigrateDeps {
  readonly color: boolean
  /** Asks a person; undefined where there is none to ask. */
  readonly ask: ((question: string) => Promise<boolean>) | undefined
}

export function migrateCommand(run: Run, deps: MigrateDeps): Command {
  const command = new Command('migrate')
    .summary('move a domain to other exchangers, in steps of which each is safe')
    .description(
      'Moves a domain from the exchangers that are live to others without a moment in which mail has nowhere to go. Each "waypost apply" does the next step once it is safe. Without options: where it stands.',
    )
    .argument('<domain>', 'the domain', domain)
    .addOption(configOption())
    .option(
      '--to <where>',
      'a provider (docs/providers.md), hosts as 10:mx1.example.net,20:mx2.example.net, or "declared": what waypost.yaml says',
    )
    .option('--set <key=value>', 'what the provider asks for, may be repeated', keyValue)
    .addOption(new Option('--low-ttl <time>', 'the TTL while it lasts (default: 5m)').argParser(seconds))
    .option(
      '--spf [terms]',
      'let both sides send while it lasts: the SPF record gets the terms of the provider, or these, such as "include:spf.example.net"',
    )
    .option(
      '--recipients <file>',
      'addresses of the domain, one a line, each of which every new exchanger must take before anything is begun',
    )
    .option('--apply', 'do the next step, as "waypost apply" does')
    .option('-y, --yes', 'do not ask')
    .addOption(
      new Option('--wait <time>', 'how long to wait for the servers, such as 30s or 10m')
        .argParser(waitTime)
        .default(300_000, '5m'),
    )
    .addOption(
      new Option(
        '--abort',
        'turn it back: this writes nothing to DNS by itself, and each "waypost apply" behind it (or --apply beside it) does a step back to what was there before; where nothing was written yet, it is over at once',
      ).conflicts('to'),
    )
    .addOption(
      new Option('--forget', 'end it as it stands: DNS is left as it is, and nothing is remembered').conflicts([
        'to',
        'abort',
      ]),
    )
    .option('--json', 'one JSON object, for machines')
  for (const option of publishFlags()) command.addOption(option)
  return command
    .addHelpText(
      'after',
      `
Exit code: 0 fine, also where it must be waited, 1 the next step is refused by a rule, 2 it could not be done or told.

Examples:
  waypost migrate example.com --to fastmail
  waypost apply example.com                          does the next step, as soon as it is safe
  waypost migrate example.com                        where it stands
  waypost migrate example.com --to microsoft-365 --set host=example-com.mail.protection.outlook.com
  waypost migrate example.com --abort                turned back; "waypost apply example.com" does it`,
    )
    .action((name: HostName, flags: MigrateFlags) => run((terminal) => migrate(name, flags, terminal, deps)))
}

function domain(text: string): HostName {
  const parsed = parseName(text)
  if (parsed.kind === 'name' && isHostName(parsed.name)) return parsed.name
  throw new InvalidArgumentError('It must be a domain.')
}

function keyValue(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const [, key = '', value = ''] = /^([a-z][a-z0-9-]*)=(.+)$/i.exec(text) ?? []
  if (key === '') throw new InvalidArgumentError('It must be a key with a value, such as region=eu.')
  return { ...before, [key]: value }
}

const usualLowTtlSeconds = 300

async function migrate(name: HostName, flags: MigrateFlags, terminal: Terminal, deps: MigrateDeps): Promise<ExitCode> {
  const unheeded = flags.to === undefined ? forBeginnings(flags) : []
  if (unheeded.length > 0) {
    throw new Misuse(`${unheeded.join(', ')}: only what begins a migration heeds that: say it with --to`)
  }
  const publishing = await openPublishing(flags, terminal)
  if (!publishing) return 2
  const say = (why: string, exit: ExitCode): ExitCode => {
    terminal.err(`waypost: ${why}\n`)
    return exit
  }
  try {
    const { state } = publishing.loaded.settings
    const kept = await loadMigration(state, name)
    if (kept.kind === 'unread') return say(kept.why, 2)
    const known = kept.kind === 'migration' ? kept.migration : undefined
    if (flags.forget) return forget(known, name, state, terminal)
    const found =
      flags.to === undefined ? turned(known, flags, terminal) : await begun(known, name, flags, publishing, terminal)
    if (found.kind !== 'migration') return found.kind === 'nothing-to-move' ? 0 : 2
    const current = found.migration
    if (flags.abort && current.isBack && current.seen.length === 0) {
      const ended = await endUnwritten(current, await loadMigrations(state), publishing, flags)
      if (ended) return overUnwritten(ended, state, flags, terminal)
    }
    if (current !== known) {
      const lost = await saveMigration(state, current).then(() => undefined, fileErrorText)
      if (lost !== undefined) return say(`nothing was begun or changed, because it could not be remembered: ${lost}`, 2)
      await noteMove(state, name, current.isBack ? { kind: 'turned-back' } : { kind: 'begun', to: current.to })
    }
    if (flags.apply) return stepMigration(current, await loadMigrations(state), publishing, flags, terminal, deps)
    const nowMs = systemClock.now()
    terminal.out(
      flags.json
        ? `${migrationJson(current, nowMs)}\n`
        : migrationText(current, declaredOf(name, publishing), nowMs, deps.color),
    )
    await tellOfOldSide(current, publishing, terminal)
    return 0
  } finally {
    publishing.close()
  }
}

async function forget(
  known: Migration | undefined,
  name: HostName,
  state: string,
  terminal: Terminal,
): Promise<ExitCode> {
  if (!known) {
    terminal.err(`waypost: ${name} is not being migrated\n`)
    return 2
  }
  await removeMigration(state, name)
  await noteMove(state, name, { kind: 'forgotten' })
  terminal.out(`The migration of ${name} is forgotten; DNS is as it is.\n`)
  return 0
}

async function overUnwritten(
  ended: Migration,
  state: string,
  { json }: MigrateFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  await removeMigration(state, ended.domain)
  await noteMove(state, ended.domain, { kind: 'ended-unwritten' })
  // No cache has anything of it, so that nothing is waited for.
  if (json) terminal.out(`${migrationJson(ended, Number.POSITIVE_INFINITY)}\n`)
  else terminal.out(`The migration of ${ended.domain} is over: nothing of it was written yet, and DNS is as it was.\n`)
  return 0
}

/** The migration that is meant by what was said. */
type Current =
  | { readonly kind: 'migration'; readonly migration: Migration }
  | { readonly kind: 'nothing-to-move' }
  /** It was told why. */
  | { readonly kind: 'failed' }

const told: Current = { kind: 'failed' }

function turned(known: Migration | undefined, flags: MigrateFlags, terminal: Terminal): Current {
  if (!known) {
    terminal.err('waypost: there is no migration of this domain; begin one with --to, such as --to fastmail\n')
    return told
  }
  if (!flags.abort || known.isBack) return { kind: 'migration', migration: known }
  const back = turnBack(known, systemClock.now())
  if (back) return { kind: 'migration', migration: back }
  terminal.err(`waypost: it is over, and there is nothing to go back from: migrate ${known.domain} the other way\n`)
  return told
}

async function begun(
  known: Migration | undefined,
  name: HostName,
  flags: MigrateFlags,
  publishing: Publishing,
  terminal: Terminal,
): Promise<Current> {
  const to = flags.to ?? ''
  const declaration = publishing.loaded.publishing.declarations.find((each) => each.domain === name)
  if (known && isOpen(known)) {
    const other = await whyNotAsItIs(known, declaration, flags, publishing)
    return other === undefined ? { kind: 'migration', migration: known } : tell(terminal, other.why, other.remedy)
  }
  if (declaration?.publisher === undefined)
    return tell(
      terminal,
      declaration === undefined
        ? whyUndeclared(name, publishing.loaded)
        : `nobody said where the records of ${name} are kept`,
      `Declare its exchangers as they are now ("waypost import dns ${name}" writes them), with "publish:".`,
    )
  const wanted = readWanted(to, flags.set ?? {}, declaration)
  if (wanted.kind === 'failed') return tell(terminal, wanted.why)
  const spf = readSpf(flags, to)
  if (spf.kind === 'failed') return tell(terminal, spf.why)
  const untaken = await whyUntaken({ domain: name, wanted: wanted.exchangers, declaration }, flags, publishing)
  if (untaken !== undefined) return tell(terminal, `nothing was begun: ${untaken.why}`, untaken.remedy)
  const { publisher, ttlSeconds } = declaration
  return await beginNew(
    {
      ...{ domain: name, publisher, to: wordsOf(to, flags.set), lowTtlSeconds: flags.lowTtl ?? usualLowTtlSeconds },
      next: { ttlSeconds, exchangers: wanted.exchangers },
      ...{ declared: declaredExchangers(declaration), spf: spf.terms, allowed: flags.allow },
    },
    publishing,
    terminal,
  )
}

/** Begins what was asked for, with a look at the zone as it is. */
async function beginNew(request: BeginRequest, publishing: Publishing, terminal: Terminal): Promise<Current> {
  const transport = createTransport(publishing.deps)
  try {
    const beginning = await beginMigration(request, publishing.options, { ...publishing.deps, transport })
    switch (beginning.kind) {
      case 'begun': {
        const missing = await whyMissing(beginning.migration, publishing)
        if (missing !== undefined && !request.allowed.has('no-working-exchanger'))
          return tell(
            terminal,
            `nothing was begun: ${missing}`,
            'Mend the name, or make the host first. Where it comes later, it is begun all the same with --allow no-working-exchanger',
          )
        if (missing !== undefined) tell(terminal, missing, 'The step that adds it is refused while that is so.')
        return { kind: 'migration', migration: beginning.migration }
      }
      case 'nothing-to-move':
        terminal.out(`The exchangers of ${request.domain} are these already.\n`)
        return { kind: 'nothing-to-move' }
      case 'impossible':
        return tell(terminal, beginning.why, beginning.remedy)
      case 'failed':
        return tell(terminal, beginning.failure.why, beginning.failure.remedy)
    }
  } finally {
    transport.close()
  }
}

function tell(terminal: Terminal, why: string, remedy?: string): Current {
  terminal.err(`waypost: ${why}\n${remedy === undefined ? '' : `  ${remedy}\n`}`)
  return told
}

/** What `--to` and the rest ask for that a migration on its way does not do; undefined: it is as they say. */
async function whyNotAsItIs(
  known: Migration,
  declaration: Declaration | undefined,
  flags: MigrateFlags,
  publishing: Publishing,
): Promise<{ readonly why: string; readonly remedy: string } | undefined> {
  const { domain, isBack, next } = known
  const to = printable(known.to, 200)
  if (isBack)
    return {
      why: `${domain} is on its way back from ${to}`,
      remedy: `Let that come to its end (waypost apply ${domain}), and begin then.`,
    }
  if (known.to !== wordsOf(flags.to ?? '', flags.set))
    return {
      why: `${domain} is on its way to ${to} already`,
      remedy: `End that first: waypost migrate ${domain} --abort`,
    }
  const other = otherThanBegun(known, flags)
  if (other !== undefined)
    return {
      why: `${domain} is on its way there already, and was not begun with this ${other}`,
      remedy: `Go on without it, or go back and begin again: waypost migrate ${domain} --abort`,
    }
  const untaken = declaration && (await whyUntaken({ domain, wanted: next.exchangers, declaration }, flags, publishing))
  return untaken && { ...untaken, why: `${domain} is on its way there already, and ${untaken.why}` }
}

/** The options that say how a migration begins, of those that were said. */
const forBeginnings = ({ set, lowTtl, spf, recipients }: MigrateFlags): string[] =>
  Object.entries({ '--set': set, '--low-ttl': lowTtl, '--spf': spf, '--recipients': recipients }).flatMap(
    ([option, value]) => (value === undefined ? [] : [option]),
  )

/** The option that says something else than what the migration was begun with. */
function otherThanBegun({ lowTtlSeconds, old, next, spf }: Migration, flags: MigrateFlags): string | undefined {
  const { lowTtl } = flags
  if (lowTtl !== undefined && Math.min(lowTtl, old.ttlSeconds, next.ttlSeconds) !== lowTtlSeconds) return '--low-ttl'
  const terms = readSpf(flags, flags.to ?? '')
  if (terms.kind === 'spf' && terms.terms === undefined) return undefined
  const joint = spf?.jointText.split(' ') ?? []
  return terms.kind === 'failed' || terms.terms?.some((term) => !joint.includes(term)) ? '--spf' : undefined
}

const isOpen = (migration: Migration) => !['done', 'aborted'].includes(nextStep(migration, systemClock.now()).kind)

const wordsOf = (to: string, given: Readonly<Record<string, string>> = {}) =>
  [to, ...Object.entries(given).map(([key, value]) => `${key}=${value}`)].join(' ')
