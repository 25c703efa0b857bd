/** Reports for programs: one document (`json`), or a line a domain as it comes (`jsonl`). What stands in them is in `document.ts`. Pure. */
import { printableLines } from '../../base/printable.ts'
import { reportDocument } from './document.ts'
import type { DomainReport } from './domain-report.ts'
import type { ReportFormat } from './report-format.ts'

export function jsonFormat(): ReportFormat {
  let isFirst = true
  return {
    begin: () => '{"version":1,"reports":[\n',
    one(report) {
      const between = isFirst ? '' : ',\n'
      isFirst = false
      return between + line(report)
    },
    end: ({ domains, fine, failing, unknown }) =>
      `${isFirst ? '' : '\n'}],${JSON.stringify({ domains, fine, failing, unknown }).slice(1)}\n`,
  }
}

export function jsonLinesFormat(): ReportFormat {
  return { begin: () => '', one: (report) => `${line(report)}\n`, end: () => '' }
}

/** What a terminal or a text tool might act on is written as `\u009b`, which reads as what it was. */
const line = (report: DomainReport) => printableLines(JSON.stringify(reportDocument(report)))
