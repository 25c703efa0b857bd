/** A step of a migration as a plan shows it beside those of its zones. `planned-steps.ts` of `apply` and `plan` makes them. */
import type { Migration, Stage } from '../../publish/migrate/migration.ts'
import type { ZonePlan } from '../../publish/plan/plan.ts'

export interface NamedStep {
  readonly migration: Migration
  readonly stage: Stage
  /** Printable: `lower the TTL from 3600 to 300`. */
  readonly what: string
}

export interface PlannedStep extends NamedStep {
  readonly records: StepRecords
}

export type StepRecords =
  | { readonly kind: 'plan'; readonly plan: ZonePlan }
  /** Somebody else was there: it will not be done. */
  | { readonly kind: 'drifted'; readonly why: string; readonly remedy?: string }
  /** It could not be told what it would write. */
  | { readonly kind: 'failed'; readonly why: string; readonly remedy?: string }
