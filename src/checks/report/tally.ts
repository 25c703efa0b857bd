/** What a run over many domains came to, in bounded memory: the summary table is made of it. Kept by `waypost check`. */
import { type Severity, severities } from '../finding.ts'
import type { RuleId } from '../rule-ids.ts'
import type { DomainReport } from './domain-report.ts'
import type { State } from './summary.ts'

export interface Tally {
  /** Domains in all. */
  domains: number
  /** Of them: nothing at or above `--fail-on`, something, could not be examined. */
  fine: number
  failing: number
  unknown: number
  /** Domains by how their mail fares. */
  readonly states: Map<State, number>
  /** Domains in which a rule found something, by its worst severity there. */
  readonly rules: Map<RuleId, Record<Severity, number>>
}

export const createTally = (): Tally => ({
  domains: 0,
  fine: 0,
  failing: 0,
  unknown: 0,
  states: new Map(),
  rules: new Map(),
})

/** What is counted of a domain: of a report that was just made, or of one that an earlier run has written. */
export interface Countable {
  readonly state: State
  readonly findings: readonly { readonly id: RuleId; readonly severity: Severity }[]
}

export const countable = (report: DomainReport): Countable =>
  report.kind === 'examined'
    ? { state: report.summary.state, findings: report.findings }
    : { state: 'unknown', findings: [] }

export function count(tally: Tally, one: Countable, failOn: Severity): void {
  tally.domains++
  tally[judge(one, failOn)]++
  tally.states.set(one.state, (tally.states.get(one.state) ?? 0) + 1)
  const worst = new Map<RuleId, Severity>()
  for (const { id, severity } of one.findings) {
    const before = worst.get(id)
    if (before === undefined || severities.indexOf(severity) > severities.indexOf(before)) worst.set(id, severity)
  }
  for (const [id, severity] of worst) {
    const counts = tally.rules.get(id) ?? { notice: 0, warning: 0, error: 0 }
    counts[severity]++
    tally.rules.set(id, counts)
  }
}

/** `failing`: there is a finding of at least this severity; `unknown`: the domain could not be examined. */
export function judge({ state, findings }: Countable, failOn: Severity): 'fine' | 'failing' | 'unknown' {
  const least = severities.indexOf(failOn)
  if (findings.some(({ severity }) => severities.indexOf(severity) >= least)) return 'failing'
  return state === 'unknown' ? 'unknown' : 'fine'
}
