/** One line of a run, ready to be written in any format: what was found out about a domain, or why it could not be examined. Pure. */
import type { Checked } from '../check-domain.ts'
import type { Finding, NotChecked } from '../finding.ts'
import type { Rule } from '../rule.ts'
import { type Summary, summarize } from './summary.ts'
import { type WayIn, wayIn } from './way-in.ts'

/** What is told of one domain, in whatever format; or why it could not be examined. */
export type DomainReport = ExaminedReport | UnexaminedReport

export interface ExaminedReport {
  readonly kind: 'examined'
  readonly domain: string
  readonly checked: Checked
  readonly summary: Summary
  readonly way: WayIn
  /** Worst first. */
  readonly findings: readonly Finding[]
  readonly notChecked: readonly NotChecked[]
  /** What was asked, in the order of the rules. */
  readonly rules: readonly Rule[]
}

export interface UnexaminedReport {
  readonly kind: 'unexamined'
  /** As it was written: not ours, escaped by whoever prints it. */
  readonly domain: string
  /** In words of ours, safe to print. */
  readonly why: string
}

/** @param rules  those that were asked */
export function domainReport(checked: Checked, rules: readonly Rule[]): ExaminedReport {
  return {
    kind: 'examined',
    domain: checked.facts.domain,
    checked,
    summary: summarize(checked, new Set(rules.map(({ id }) => id))),
    way: wayIn(checked),
    findings: checked.outcomes.filter((one) => one.kind === 'finding'),
    notChecked: checked.outcomes.filter((one) => one.kind === 'not-checked'),
    rules,
  }
}
