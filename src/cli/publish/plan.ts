/**
 * `waypost plan`: what `waypost apply` would do to the DNS records that waypost.yaml declares, and what that would do to mail. Changes nothing.
 */
import { Command, Option } from 'commander'
import type { HostName } from '../../dns/name.ts'
import { leftOut } from '../../publish/migrate/hold-back.ts'
import type { RefusalRule } from '../../publish/plan/consequences.ts'
import { chosen, type Examined, hasChanges } from '../../publish/plan/examine.ts'
import { type ExportFormat, exportFormats, exportZones } from '../../publish/plan/export.ts'
import { configOption } from '../config-path.ts'
import { concurrencyOption, domainArgument, type PublishFlags, publishFlags } from '../publishing/flags.ts'
import { countsOf, planJson, planText } from '../publishing/plan-report.ts'
import type { StepRecords } from '../publishing/planned-step.ts'
import { openPublishing } from '../publishing/publishing.ts'
import type { ExitCode, Run, Terminal } from '../terminal.ts'
import { examineAll, isUndeclared } from './examine-declared.ts'
import { readMigrations } from './migrations-now.ts'
import { planRecordsOf, stepsToDo } from './planned-steps.ts'
import { withNotes } from './unchanged.ts'

interface PlanFlags extends PublishFlags {
  readonly allow: ReadonlySet<RefusalRule>
  readonly json?: boolean
  readonly export?: ExportFormat
}

export interface PlanDeps {
  /** Whether standard output may have colours. */
  readonly color: boolean
}

export function planCommand(run: Run, deps: PlanDeps): Command {
  const command = new Command('plan')
    .summary('show what would change in DNS, and what that would do to mail')
    .description(
      'Compares the records that waypost.yaml declares with those that are live, and shows what "waypost apply" would do. Changes nothing.',
    )
    .argument('[domain...]', 'domains (default: all that declare exchangers)', domainArgument)
    .addOption(configOption())
  for (const option of [...publishFlags(), concurrencyOption()]) command.addOption(option)
  return command
    .addOption(
      new Option('--export <format>', 'print the records for another tool')
        .choices(exportFormats)
        .conflicts(['json', 'allow']),
    )
    .option('--json', 'one JSON object, the same as long as nothing changes')
    .addHelpText(
      'after',
      `
It compares with what the publisher keeps. Whether the zone's servers answer with that is asked of those under "servers:" alone; "waypost apply" asks all.

Exit code: 0 nothing would change, 1 it cannot be done as it is declared, 2 it could not be told, 3 something would change, the next step of a
migration too (also where "waypost apply" would refuse it: the last line names the rules).

Examples:
  waypost plan
  waypost plan example.com --json > plan.json       and later: waypost apply example.com --plan plan.json
  waypost plan example.com --export octodns`,
    )
    .action((domains: readonly HostName[] | undefined, flags: PlanFlags) =>
      run((terminal) => plan(domains ?? [], flags, terminal, deps)),
    )
}

async function plan(
  domains: readonly HostName[],
  flags: PlanFlags,
  terminal: Terminal,
  { color }: PlanDeps,
): Promise<ExitCode> {
  const publishing = await openPublishing(flags, terminal)
  if (!publishing) return 2
  try {
    const migrations = await readMigrations(publishing)
    const examined = await examineAll(publishing, domains, migrations, flags, terminal)
    if (!examined) return 2
    const { zones, isWhole } = examined
    for (const zone of zones) if (zone.kind === 'examined') zone.target.close()
    const { failed, obstacles } = countsOf(zones)
    if (flags.export !== undefined) {
      // What migrations have in their hands, or left behind, is in no plan; whoever takes the export elsewhere has to know.
      const { declarations } = chosen(publishing.loaded.publishing.declarations, domains)
      exportPlans(flags.export, zones, leftOut(migrations.heldBack, declarations), terminal)
      return failed > 0 || !isWhole ? 2 : obstacles > 0 ? 1 : 0
    }
    const told = await withNotes(zones, publishing)
    const steps = await planRecordsOf(stepsToDo(migrations, domains), migrations, publishing)
    const { allow: allowed } = flags
    const style = { color, allowed, isUndeclared: isUndeclared(publishing.loaded) }
    terminal.out(flags.json ? `${planJson(told, steps, allowed)}\n` : planText(told, style, steps))
    const hasSteps = (kind: StepRecords['kind']) => steps.some(({ records }) => records.kind === kind)
    if (failed > 0 || !isWhole || hasSteps('failed')) return 2
    if (obstacles > 0 || hasSteps('drifted')) return 1
    return steps.length > 0 || zones.some(hasChanges) ? 3 : 0
  } finally {
    publishing.close()
  }
}

/** @param leftOut  what of the declared is not in the plans, printable */
function exportPlans(
  format: ExportFormat,
  zones: readonly Examined[],
  leftOut: readonly string[],
  terminal: Terminal,
): void {
  for (const zone of zones) if (zone.kind === 'failed') terminal.err(`waypost: ${zone.failure.why}\n`)
  const plans = zones.filter((zone) => zone.kind === 'examined').map((zone) => zone.plan)
  const obstacles = plans.flatMap((each) => each.obstacles)
  const notes = [
    ...leftOut,
    ...obstacles.map(({ why, remedy }) => `cannot be done as it is declared: ${why}. ${remedy}`),
  ]
  for (const note of notes) terminal.err(`waypost: ${note}\n`)
  terminal.out(exportZones(format, plans, notes))
}
