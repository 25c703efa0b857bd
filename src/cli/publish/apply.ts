/**
 * `waypost apply`: shows the plan, asks, does it zone by zone, waits until every authoritative server answers with it, and says until when
 * caches may hold what was there before. What would hurt mail is refused by name before anything is written.
 */

import { Command, Option } from 'commander'
import type { HostName } from '../../dns/name.ts'
import { refusedBy } from '../../publish/apply/apply.ts'
import type { Migration } from '../../publish/migrate/migration.ts'
import type { RefusalRule } from '../../publish/plan/consequences.ts'
import { type Examined, type ExaminedZone, hasChanges } from '../../publish/plan/examine.ts'
import { configOption } from '../config-path.ts'
import { stepMigration } from '../migrate/step.ts'
import { concurrencyOption, domainArgument, type PublishFlags, publishFlags } from '../publishing/flags.ts'
import { countsOf, planJson, planText } from '../publishing/plan-report.ts'
import type { NamedStep, PlannedStep } from '../publishing/planned-step.ts'
import { openPublishing, type Publishing } from '../publishing/publishing.ts'
import type { ExitCode, Run, Terminal } from '../terminal.ts'
import { waitTime } from '../time-argument.ts'
import { carryOut } from './carry-out.ts'
import { examineAll, isUndeclared } from './examine-declared.ts'
import { isSamePlan } from './kept-plan.ts'
import { type MigrationsNow, openOf, readMigrations } from './migrations-now.ts'
import { planRecordsOf, stageToDo, stepsToDo } from './planned-steps.ts'
import { seeUnchanged } from './unchanged.ts'

interface ApplyFlags extends PublishFlags {
  readonly allow: ReadonlySet<RefusalRule>
  readonly yes?: boolean
  readonly plan?: string
  /** Milliseconds. */
  readonly wait: number
}

export interface ApplyCommandDeps {
  readonly color: boolean
  /** Asks a person; undefined where there is none to ask. */
  readonly ask: ((question: string) => Promise<boolean>) | undefined
}

export function applyCommand(run: Run, deps: ApplyCommandDeps): Command {
  const command = new Command('apply')
    .summary('make the records in DNS what waypost.yaml declares')
    .description(
      'Shows what would change, asks, changes it, and waits until every authoritative server answers with it.',
    )
    .argument('[domain...]', 'domains (default: all that declare exchangers)', domainArgument)
    .addOption(configOption())
  for (const option of [...publishFlags(), concurrencyOption()]) command.addOption(option)
  return command
    .option('-y, --yes', 'do not ask')
    .option('--plan <file>', 'only if the plan is still the one in this file, made by "waypost plan --json"')
    .addOption(
      new Option('--wait <time>', 'how long to wait for the servers, such as 30s or 10m; 0s: do not')
        .argParser(waitTime)
        .default(300_000, '5m'),
    )
    .addHelpText(
      'after',
      `
Where nothing is to be changed, the zone's servers are asked all the same, and "reload:" is run again where one answers otherwise.

Exit code: 0 all is as declared and seen to be, 1 refused by a rule, or it cannot be done as it is declared, 2 it could not be done or seen.

Examples:
  waypost apply
  waypost apply example.com --yes --wait 10m
  waypost apply example.com --allow null-mx`,
    )
    .action((domains: readonly HostName[] | undefined, flags: ApplyFlags) =>
      run((terminal) => apply(domains ?? [], flags, terminal, deps)),
    )
}

async function apply(
  domains: readonly HostName[],
  flags: ApplyFlags,
  terminal: Terminal,
  deps: ApplyCommandDeps,
): Promise<ExitCode> {
  const publishing = await openPublishing(flags, terminal)
  if (!publishing) return 2
  let zones: readonly Examined[] | undefined
  try {
    const before = await readMigrations(publishing)
    const examined = await examineAll(publishing, domains, before, flags, terminal)
    if (!examined) return 2
    zones = examined.zones
    const steps = stepsToDo(before, domains)
    const records = () => planRecordsOf(steps, before, publishing)
    const exit = await applyAll(zones, { steps, records }, publishing, flags, terminal, deps)
    if (exit !== 0) return exit
    // A server that lags behind in one zone holds up no migration of another: each sees its own steps arrive.
    const seen = await seeUnchanged(zones, publishing, flags, terminal, deps.ask)
    // The servers may have taken minutes, in which others did something, too.
    const now = await readMigrations(publishing)
    const open = openOf(now, domains)
    // With a plan, what became safe meanwhile is left to the next: nobody has looked at it.
    const meant = flags.plan === undefined ? open : open.filter((migration) => isAmong(steps, migration, now))
    const stepped = await stepAll(meant, now, publishing, flags, terminal, deps)
    // What could not be looked at was told, and held up nobody else.
    return stepped !== 0 ? stepped : examined.isWhole ? seen : 2
  } finally {
    for (const zone of zones ?? []) if (zone.kind === 'examined') zone.target.close()
    publishing.close()
  }
}

function isAmong(steps: readonly NamedStep[], migration: Migration, { nowMs }: MigrationsNow): boolean {
  const now = stageToDo(migration, nowMs)
  return steps.some((step) => step.migration.domain === migration.domain && step.stage === now)
}

/** The next step of each. */
async function stepAll(
  migrations: readonly Migration[],
  { kept }: MigrationsNow,
  publishing: Publishing,
  flags: ApplyFlags,
  terminal: Terminal,
  deps: ApplyCommandDeps,
): Promise<ExitCode> {
  let exit: ExitCode = 0
  for (const migration of migrations) {
    terminal.out('\n')
    const code = await stepMigration(migration, kept, publishing, flags, terminal, deps)
    exit = code === 0 ? exit : code
  }
  return exit
}

interface StepsAhead {
  readonly steps: readonly NamedStep[]
  /** With what each would write, which the publishers are asked for: only a plan in a file is compared by that. */
  readonly records: () => Promise<PlannedStep[]>
}

async function applyAll(
  zones: readonly Examined[],
  { steps, records }: StepsAhead,
  publishing: Publishing,
  flags: ApplyFlags,
  terminal: Terminal,
  deps: ApplyCommandDeps,
): Promise<ExitCode> {
  const style = { color: deps.color, allowed: flags.allow, isUndeclared: isUndeclared(publishing.loaded) }
  terminal.out(planText(zones, style, steps))
  const { failed, obstacles } = countsOf(zones)
  if (failed > 0) return say(terminal, 'nothing was changed, because it could not be told what all would be', 2)
  if (obstacles > 0) return say(terminal, 'nothing was changed: see what stands in the way above', 1)
  const refused = refusedBy(
    zones.flatMap((zone) => (zone.kind === 'examined' ? zone.concerns : [])),
    flags.allow,
  )
  if (refused.length > 0) {
    const rules = [...new Set(refused.map(({ rule }) => rule))].join(',')
    return say(terminal, `nothing was changed; what is refused above is done all the same with --allow ${rules}`, 1)
  }
  if (flags.plan !== undefined) {
    const now = planJson(zones, await records(), flags.allow)
    if (!(await isSamePlan(flags.plan, now, terminal))) return 2
  }
  const changing = zones.filter(hasChanges)
  return changing.length === 0 ? 0 : confirmAndCarryOut(changing, publishing, flags, terminal, deps)
}

async function confirmAndCarryOut(
  changing: readonly ExaminedZone[],
  publishing: Publishing,
  flags: ApplyFlags,
  terminal: Terminal,
  deps: ApplyCommandDeps,
): Promise<ExitCode> {
  if (!flags.yes) {
    if (!deps.ask) return say(terminal, 'nothing was changed: there is nobody to ask, so say --yes', 2)
    if (!(await deps.ask('Apply this?'))) return say(terminal, 'nothing was changed', 2)
  }
  return carryOut(changing, publishing, flags.wait, terminal)
}

function say(terminal: Terminal, why: string, exit: ExitCode): ExitCode {
  terminal.err(`waypost: ${why}\n`)
  return exit
}
