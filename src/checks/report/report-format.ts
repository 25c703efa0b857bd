/** What a format of reports is: it writes a run piece by piece. `format.ts` has them by name. */
import type { Severity } from '../finding.ts'
import type { DomainReport } from './domain-report.ts'
import type { Tally } from './tally.ts'

export interface ReportFormat {
  begin(): string
  /** Of one domain, with its line end. */
  one(report: DomainReport): string
  /** @param tally  of the whole run */
  end(tally: Tally): string
}

export interface FormatOptions {
  /** Characters a line of text: 40 or more. */
  readonly columns: number
  readonly isColored: boolean
  /** One domain is told whole, many in a line each. */
  readonly isWhole: boolean
  /** What counts as failed (JUnit). */
  readonly failOn: Severity
}
