/** The next steps of many migrations as their plans, for who only wants to see them. Called by `waypost plan`, and where a plan is compared. */
import { mapAtOnce } from '../../base/map-at-once.ts'
import type { ExamineDeps, ExamineOptions } from '../plan/examine.ts'
import { groupsInTurn, notAskedAgain } from '../plan/in-turn.ts'
import type { TargetFailure } from '../targets/target.ts'
import type { Stage } from './migration.ts'
import { type ExaminedStep, examineStage, type StepRequest } from './step-migration.ts'

export interface StepToPlan {
  readonly request: StepRequest
  /** What is safe by now. */
  readonly stage: Stage
}

/** Publishers that are asked at once. */
const atOnce = 50

/** In the order of the steps. Changes nothing; targets of what is examined are closed by the caller. */
export async function planSteps(
  steps: readonly StepToPlan[],
  options: ExamineOptions,
  deps: ExamineDeps,
): Promise<ExaminedStep[]> {
  const planned = new Map<StepToPlan, ExaminedStep>()
  const groups = groupsInTurn(steps, ({ request }) => request.publisher, options.publishers)
  await mapAtOnce(groups, atOnce, async (group) => {
    let silent: TargetFailure | undefined
    for (const step of group) {
      const { request, stage } = step
      if (silent !== undefined) {
        planned.set(step, { kind: 'failed', stage, failure: notAskedAgain(silent) })
        continue
      }
      const found = await examineStage(request, stage, options, deps)
      planned.set(step, found)
      if (found.kind === 'failed' && found.failure.kind === 'unreachable') silent = found.failure
    }
  })
  return steps.flatMap((step) => planned.get(step) ?? [])
}
