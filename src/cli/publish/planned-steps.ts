/** The steps of migrations that `waypost apply` would do now, with their records, as a plan shows them beside those of its zones. */
import type { HostName } from '../../dns/name.ts'
import type { Migration, Stage } from '../../publish/migrate/migration.ts'
import { nextStep } from '../../publish/migrate/next-step.ts'
import { planSteps } from '../../publish/migrate/plan-steps.ts'
import type { ExaminedStep } from '../../publish/migrate/step-migration.ts'
import { stageText } from '../migrate/report.ts'
import { stepRequest } from '../migrate/step-request.ts'
import type { NamedStep, PlannedStep, StepRecords } from '../publishing/planned-step.ts'
import type { Publishing } from '../publishing/publishing.ts'
import { type MigrationsNow, openOf } from './migrations-now.ts'

/** Which stage is safe by then; undefined where it has to be waited. */
export function stageToDo(migration: Migration, nowMs: number): Stage | undefined {
  const step = nextStep(migration, nowMs)
  return step.kind === 'apply' ? step.stage : undefined
}

/** What is safe by now; what must still hold is looked at when it is done. @param names  of which domains; none: of all */
export function stepsToDo(now: MigrationsNow, names: readonly HostName[]): NamedStep[] {
  return openOf(now, names).flatMap((migration) => {
    const stage = stageToDo(migration, now.nowMs)
    return stage === undefined ? [] : [{ migration, stage, what: stageText(migration, stage) }]
  })
}

/** The same steps, with what each would write. */
export async function planRecordsOf(
  steps: readonly NamedStep[],
  { kept }: MigrationsNow,
  publishing: Publishing,
): Promise<PlannedStep[]> {
  const wanted = steps.map((step) => {
    const request = stepRequest(step.migration, kept, publishing, new Set())
    return { step, toPlan: request && { request, stage: step.stage } }
  })
  const toPlan = wanted.flatMap((each) => each.toPlan ?? [])
  const looked = await planSteps(toPlan, publishing.options, publishing.deps)
  const found = new Map(looked.map((each, at) => [toPlan[at], each]))
  return wanted.map((each) => ({ ...each.step, records: recordsOf(each.toPlan && found.get(each.toPlan)) }))
}

/** @param looked  undefined: nobody could be asked */
function recordsOf(looked: ExaminedStep | undefined): StepRecords {
  switch (looked?.kind) {
    case undefined:
      return { kind: 'failed', why: 'waypost.yaml does not say any more where the records of this domain are kept' }
    case 'examined':
      looked.examined.target.close()
      return { kind: 'plan', plan: looked.examined.plan }
    case 'drifted':
      return { kind: 'drifted', why: looked.why, remedy: looked.remedy }
    case 'failed':
      return { ...looked.failure, kind: 'failed' }
  }
}
