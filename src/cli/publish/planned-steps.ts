/** The steps of migrations that `waypost apply` would do now, with their records, as a plan shows them beside those of its zones. */
import { systemClock } from '../../base/clock.ts'
import type { HostName } from '../../dns/name.ts'
import { holdBack } from '../../publish/migrate/hold-back.ts'
import type { Migration, Stage } from '../../publish/migrate/migration.ts'
import { type KeptMigrations, loadMigrations } from '../../publish/migrate/migration-file.ts'
import { nextStep } from '../../publish/migrate/next-step.ts'
import { planStep } from '../../publish/migrate/step-migration.ts'
import type { ZonePlan } from '../../publish/plan/plan.ts'
import { stageText } from '../migrate/report.ts'
import { stepRequest } from '../migrate/step-request.ts'
import type { Publishing } from './publishing.ts'

export interface PlannedStep {
  readonly domain: HostName
  /** Where it moves to, in the words of `--to`. */
  readonly to: string
  /** On its way back from there. */
  readonly isBack: boolean
  readonly stage: Stage
  /** Printable: `lower the TTL from 3600 to 300`. */
  readonly what: string
  readonly records:
    | { readonly kind: 'plan'; readonly plan: ZonePlan }
    /** Somebody else was there: it will not be done. */
    | { readonly kind: 'drifted'; readonly why: string; readonly remedy?: string }
    /** It could not be told what it would write. */
    | { readonly kind: 'failed'; readonly why: string; readonly remedy?: string }
}

/** The migrations that are on their way. @param names  of which domains; none: of all */
export async function openMigrations(publishing: Publishing, names: readonly HostName[]): Promise<Migration[]> {
  return openOf(await loadMigrations(publishing.loaded.settings.state), publishing, names)
}

function openOf(kept: KeptMigrations, { loaded }: Publishing, names: readonly HostName[]): Migration[] {
  const { open } = holdBack(loaded.publishing.declarations, kept, systemClock.now())
  return open.filter(({ domain }) => names.length === 0 || names.includes(domain))
}

/** Which stage is safe by now; undefined where it has to be waited. */
export function stageToDo(migration: Migration): Stage | undefined {
  const step = nextStep(migration, systemClock.now())
  return step.kind === 'apply' ? step.stage : undefined
}

/** What is safe by now; what must still hold is looked at when it is done. */
export async function plannedSteps(publishing: Publishing, names: readonly HostName[]): Promise<PlannedStep[]> {
  const kept = await loadMigrations(publishing.loaded.settings.state)
  const steps: PlannedStep[] = []
  // One after the other, as whoever keeps them may want (RFC 8945 §5.2.3).
  for (const migration of openOf(kept, publishing, names)) {
    const stage = stageToDo(migration)
    if (stage === undefined) continue
    const { domain, to, isBack } = migration
    const what = stageText(migration, stage)
    steps.push({ domain, to, isBack, stage, what, records: await recordsOf(migration, kept, publishing) })
  }
  return steps
}

async function recordsOf(
  migration: Migration,
  kept: KeptMigrations,
  publishing: Publishing,
): Promise<PlannedStep['records']> {
  const request = stepRequest(migration, kept, publishing, new Set())
  if (request === undefined)
    return { kind: 'failed', why: 'waypost.yaml does not say any more where the records of this domain are kept' }
  const planned = await planStep(request, publishing.options, publishing.deps)
  switch (planned.kind) {
    case 'examined':
      planned.examined.target.close()
      return { kind: 'plan', plan: planned.examined.plan }
    case 'drifted':
      return { kind: 'drifted', why: planned.why, remedy: planned.remedy }
    case 'failed':
      return { ...planned.failure, kind: 'failed' }
    case 'at-rest':
      return { kind: 'failed', why: 'it is too early again: the clock went back' }
  }
}
