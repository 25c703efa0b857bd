/** What a rule says where a look-up that it needs brought nothing. Pure; called by rules. */
import type { NotExamined, View } from './facts.ts'
import { type Subject, type Undecided, undecided } from './finding.ts'
import { plainName } from './read-facts.ts'

/**
 * One verdict for the first of these that failed or was not examined; none where all were answered. What does not apply is no gap.
 * @param what  what is looked up, for people: `MX`
 */
export function undecidedBy(subject: Subject, what: string, ...views: readonly (View | NotExamined)[]): Undecided[] {
  for (const view of views) {
    if (view.kind === 'failed') {
      const why = `${what} of ${plainName(view.name)} could not be looked up: ${view.why}.`
      return [{ kind: 'undecided', subject, reason: 'lookup-failed', why }]
    }
    if (view.kind === 'not-examined' && view.reason !== 'not-applicable') return [undecided(subject, view)]
  }
  return []
}
