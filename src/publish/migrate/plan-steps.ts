/** The next steps of many migrations as their plans, for who only wants to see them. Called by `waypost plan`, and where a plan is compared. */
import type { ExamineDeps, ExamineOptions } from '../plan/examine.ts'
import { readInTurn } from '../plan/in-turn.ts'
import type { Stage } from './migration.ts'
import { type ExaminedStep, examineStage, type StepRequest } from './step-migration.ts'

export interface StepToPlan {
  readonly request: StepRequest
  /** What is safe by now. */
  readonly stage: Stage
}

/** Publishers that are asked at once. */
const atOnce = 50

/**
 * In the order of the steps. Changes nothing; targets of what is examined are closed by the caller. Rejects with what the first threw, with all of
 * them closed.
 */
export function planSteps(
  steps: readonly StepToPlan[],
  options: ExamineOptions,
  deps: ExamineDeps,
): Promise<ExaminedStep[]> {
  return readInTurn<StepToPlan, ExaminedStep>(steps, {
    ...{ publisherOf: ({ request }) => request.publisher, publishers: options.publishers, atOnce },
    read: ({ request, stage }) => examineStage(request, stage, options, deps),
    failed: ({ stage }, failure) => ({ kind: 'failed', stage, failure }),
    close: (step) => step.kind === 'examined' && step.examined.target.close(),
  })
}
