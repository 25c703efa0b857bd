/** The steps of migrations that `waypost apply` would do now, as a plan shows them beside the records of its zones. */

import { systemClock } from '../../base/clock.ts'
import type { HostName } from '../../dns/name.ts'
import { holdBack } from '../../publish/migrate/hold-back.ts'
import type { Migration, Stage } from '../../publish/migrate/migration.ts'
import { loadMigrations } from '../../publish/migrate/migration-file.ts'
import { nextStep } from '../../publish/migrate/next-step.ts'
import { stageText } from '../migrate/report.ts'
import type { Publishing } from './publishing.ts'

export interface PlannedStep {
  readonly domain: HostName
  /** Where it moves to, in the words of `--to`. */
  readonly to: string
  readonly stage: Stage
  /** Printable: `lower the TTL from 3600 to 300`. */
  readonly what: string
}

/** The migrations that are on their way. @param names  of which domains; none: of all */
export async function openMigrations({ loaded }: Publishing, names: readonly HostName[]): Promise<Migration[]> {
  const kept = await loadMigrations(loaded.settings.state)
  const { open } = holdBack(loaded.publishing.declarations, kept, systemClock.now())
  return open.filter(({ domain }) => names.length === 0 || names.includes(domain))
}

/** Undefined where it has to be waited. */
export function plannedStep(migration: Migration): PlannedStep | undefined {
  const { domain, to } = migration
  const step = nextStep(migration, systemClock.now())
  if (step.kind !== 'apply') return undefined
  return { domain, to, stage: step.stage, what: stageText(migration, step.stage) }
}

/** What is safe by now; what must still hold is looked at when it is done. */
export async function plannedSteps(publishing: Publishing, names: readonly HostName[]): Promise<PlannedStep[]> {
  const open = await openMigrations(publishing, names)
  return open.flatMap((migration) => plannedStep(migration) ?? [])
}
