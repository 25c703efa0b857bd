/** What carries a held message: the same as for a sender who waits, with the time that there is where nobody does. Called by `cut-through-deps-maker`. */
import { patientSteps } from '../../smtp/client/step-limits.ts'
import type { Budgets } from '../settings.ts'
import type { CutThroughDeps } from './cut-through-deps.ts'

/**
 * Where nobody waits there is time for each step of RFC 5321 §4.5.3.2 at one backend, and more. Opening a session stays short (`openLimits`): it
 * decides for everybody whether the backend is up.
 */
const patientBudgets: Partial<Budgets> = {
  connectMs: 60_000,
  // One that is silent at MAIL leaves as long for the next.
  mailMs: 2 * patientSteps.mailMs,
  // From MAIL on.
  rcptMs: patientSteps.mailMs + patientSteps.rcptMs,
  dotMs: 900_000,
  bodyReserveMs: 600_000,
  // Where live mail takes all sessions, so long for one of those that are the hold's.
  sessionMs: 5_000,
}

const nothingLearnt = { accepted: () => undefined, refused: () => undefined }

export function depsForHeldMail(deps: CutThroughDeps): CutThroughDeps {
  const budgets = { ...deps.budgets, ...patientBudgets }
  // What a refusal at the drain teaches, a sender's own transaction teaches too; and a server that came back empty must teach nothing.
  const onAnswer = deps.onAnswer && { ...nothingLearnt, delivered: deps.onAnswer.delivered }
  return { ...deps, budgets, steps: patientSteps, onAnswer }
}
