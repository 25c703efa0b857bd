/**
 * JUnit's XML, which build servers show: a suite a domain, a case a rule. A finding at or above `--fail-on` is a failure, a lesser one stands
 * in the case's output, and what was not checked is skipped. Pure.
 */
import type { Finding, NotChecked } from '../finding.ts'
import { severities } from '../finding.ts'
import type { DomainReport, ExaminedReport } from './domain-report.ts'
import { escaped } from './markup.ts'
import type { FormatOptions, ReportFormat } from './report-format.ts'
import { subjectText } from './text.ts'

export function junitFormat({ failOn }: FormatOptions): ReportFormat {
  const isFailure = ({ severity }: Finding) => severities.indexOf(severity) >= severities.indexOf(failOn)
  return {
    begin: () => '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="waypost check">\n',
    one: (report) => (report.kind === 'unexamined' ? unexaminedSuite(report) : suite(report, isFailure)),
    end: () => '</testsuites>\n',
  }
}

function unexaminedSuite({ domain, why }: Extract<DomainReport, { kind: 'unexamined' }>): string {
  return `  <testsuite name="${escaped(domain, 300)}" tests="1" failures="0" errors="1" skipped="0">
    <testcase classname="${escaped(domain, 300)}" name="examination">
      <error message="${escaped(why)}"/>
    </testcase>
  </testsuite>
`
}

function suite(report: ExaminedReport, isFailure: (one: Finding) => boolean): string {
  const { domain, rules, findings, notChecked, summary, checked } = report
  const cases = rules.map(({ id, title }) => {
    const found = findings.filter((one) => one.id === id)
    const skipped = notChecked.filter((one) => one.id === id)
    return { id, title, failed: found.filter(isFailure), told: found.filter((one) => !isFailure(one)), skipped }
  })
  const failures = cases.filter(({ failed }) => failed.length > 0).length
  const skips = cases.filter((one) => isSkipped(one)).length
  const isUnknown = summary.state === 'unknown'
  const { startedAtMs, tookMs } = checked.facts
  const time = (tookMs / 1000).toFixed(3)
  const stamp = new Date(startedAtMs).toISOString().slice(0, 19)
  const unknown = isUnknown
    ? `    <testcase classname="${escaped(domain)}" name="examination">\n      <error message="${escaped(summary.headline)}"/>\n    </testcase>\n`
    : ''
  return `  <testsuite name="${escaped(domain)}" tests="${cases.length + (isUnknown ? 1 : 0)}" failures="${failures}" errors="${isUnknown ? 1 : 0}" skipped="${skips}" time="${time}" timestamp="${stamp}">
    <properties><property name="headline" value="${escaped(summary.headline)}"/></properties>
${unknown}${cases.map((one) => caseText(domain, one)).join('')}  </testsuite>
`
}

interface Case {
  readonly id: string
  readonly title: string
  readonly failed: readonly Finding[]
  readonly told: readonly Finding[]
  readonly skipped: readonly NotChecked[]
}

/** A case is one thing alone: where a part failed, what was not checked beside it stands in the output. */
const isSkipped = ({ failed, told, skipped }: Case) => failed.length === 0 && told.length === 0 && skipped.length > 0

function caseText(domain: string, one: Case): string {
  const head = `    <testcase classname="${escaped(domain)}" name="${escaped(one.id)}"`
  if (one.failed.length + one.told.length + one.skipped.length === 0) return `${head}/>\n`
  const skips = one.skipped.map(({ subject, why }) => `${subjectText(subject)}: ${why}`)
  if (isSkipped(one)) return `${head}>\n      <skipped message="${escaped(skips.join(' '))}"/>\n    </testcase>\n`
  const failures = one.failed.map(
    (found) =>
      `      <failure type="${found.severity}" message="${escaped(`${subjectText(found.subject)}: ${found.seen}`)}">${body(found)}</failure>\n`,
  )
  const output = [
    ...one.told.map((found) => `${found.severity}: ${escaped(found.seen)}\n${body(found)}`),
    ...skips.map((skip) => `not checked: ${escaped(skip)}`),
  ]
  const told = output.length > 0 ? `      <system-out>${output.join('\n')}</system-out>\n` : ''
  return `${head}>\n${failures.join('')}${told}    </testcase>\n`
}

function body({ why, rfc, remedy }: Finding): string {
  const standard = rfc.length > 0 ? ` (${rfc.join(', ')})` : ''
  return [`${why}${standard}`, remedy.text, ...(remedy.records ?? []), ...(remedy.settings ?? [])]
    .map((line) => escaped(line))
    .join('\n')
}
