/**
 * What people read on a terminal: the headline, the picture of the way in, findings with what to do, and what was not checked, why. Many
 * domains take a line each and a table at the end. Pure.
 */
import { printable } from '../../base/printable.ts'
import type { Finding, Severity, Subject } from '../finding.ts'
import type { DomainReport, ExaminedReport } from './domain-report.ts'
import {
  createPaint,
  fewestColumns,
  mostColumns,
  type Paint,
  type Style,
  stateMarks,
  table,
  wrapped,
} from './layout.ts'
import { groupNotChecked } from './not-checked.ts'
import { pictureLines } from './picture-text.ts'
import type { FormatOptions, ReportFormat } from './report-format.ts'
import { counted, type State } from './summary.ts'
import type { Tally } from './tally.ts'

export function textFormat(options: FormatOptions): ReportFormat {
  const columns = Math.min(mostColumns, Math.max(fewestColumns, options.columns))
  const paint = createPaint(options.isColored)
  let isFirst = true
  return {
    begin: () => '',
    one(report) {
      if (!options.isWhole) return `${rowLine(report, paint)}\n`
      const between = isFirst ? '' : '\n'
      isFirst = false
      if (report.kind === 'unexamined') return `${between}${rowLine(report, paint)}\n`
      return `${between}${wholeLines(report, columns, paint).join('\n')}\n`
    },
    end: (tally) => (tally.domains > 1 ? `\n${tallyLines(tally, paint).join('\n')}\n` : ''),
  }
}

const stateStyles: Readonly<Record<State, Style>> = {
  arrives: 'green',
  'way-in-order': 'green',
  'takes-no-mail': 'green',
  'arrives-in-part': 'red',
  'does-not-arrive': 'red',
  'no-such-domain': 'red',
  unknown: 'yellow',
}

const stateMark = (state: State, paint: Paint) => paint(stateStyles[state], stateMarks[state])

function wholeLines(report: ExaminedReport, columns: number, paint: Paint): string[] {
  const { summary, way, findings, notChecked, checked } = report
  const [first = '', ...more] = wrapped(summary.headline, columns, '  ')
  const picture = pictureLines(way, columns, paint)
  return [
    `${stateMark(summary.state, paint)} ${paint('bold', first.trimStart())}`,
    ...more.map((line) => paint('bold', line)),
    ...wrapped(`${countsText(report)}; ${spentText(checked.facts)}`, columns, '  ').map((line) => paint('dim', line)),
    ...(picture.length > 0 ? ['', ...picture] : []),
    ...findings.flatMap((finding) => ['', ...findingLines(finding, columns, paint)]),
    ...(notChecked.length > 0 ? ['', ...notCheckedLines(report, columns, paint)] : []),
  ]
}

function countsText({ summary: { counts } }: ExaminedReport): string {
  const { error, warning, notice, notChecked } = counts
  const found = [
    error > 0 ? counted(error, 'error') : '',
    warning > 0 ? counted(warning, 'warning') : '',
    notice > 0 ? counted(notice, 'notice') : '',
  ].filter((text) => text !== '')
  const left = notChecked > 0 ? [`${notChecked} not checked`] : []
  return [...(found.length > 0 ? found : ['nothing found']), ...left].join(', ')
}

function spentText({ startedAtMs, tookMs, spent }: ExaminedReport['checked']['facts']): string {
  const when = new Date(startedAtMs).toISOString().slice(0, 16).replace('T', ' ')
  return `${when} UTC, ${(tookMs / 1000).toFixed(1)} s, ${counted(spent.queries, 'question')}, ${counted(spent.connections, 'connection')}`
}

const severityStyles: Readonly<Record<Severity, { readonly mark: string; readonly style: Style }>> = {
  error: { mark: '✗', style: 'red' },
  warning: { mark: '!', style: 'yellow' },
  notice: { mark: '·', style: 'dim' },
}

function findingLines(
  { severity, id, title, subject, seen, why, rfc, remedy }: Finding,
  columns: number,
  paint: Paint,
) {
  const { mark, style } = severityStyles[severity]
  const standard = rfc.length > 0 ? ` (${rfc.join(', ')})` : ''
  const part = (word: string, text: string) =>
    wrapped(text, columns, `    ${word.padEnd(6)}`).map((line, index) =>
      index === 0 ? `    ${paint('dim', word.padEnd(6))}${line.slice(10)}` : line,
    )
  // What is to be copied stands on a line of its own, whatever its length.
  const copies = [...(remedy.records ?? []), ...(remedy.settings ?? [])].map(
    (line) => `            ${printable(line, 4000)}`,
  )
  const about = `${subjectText(subject)}, ${id}`
  const head = `${mark} ${severity}  ${printable(title)}`
  // Where both have no room on one line, what it is about stands on the next.
  const isWide = head.length + 2 + about.length <= columns
  return [
    `${paint(style, `${mark} ${severity}`)}  ${paint('bold', printable(title))}${isWide ? `  ${paint('dim', about)}` : ''}`,
    ...(isWide ? [] : [paint('dim', `    ${about}`)]),
    ...part('seen', seen),
    ...part('why', `${why}${standard}`),
    ...part('do', remedy.text),
    ...copies,
  ]
}

/** `mx1.example.com (192.0.2.1)`: what a finding speaks of, for people. */
export function subjectText(subject: Subject): string {
  switch (subject.kind) {
    case 'domain':
    case 'exchanger':
      return printable(subject.name, 300)
    case 'zone':
      return `zone ${printable(subject.name, 300)}`
    case 'address':
      return `${printable(subject.exchanger, 300)} (${printable(subject.address, 100)})`
    case 'name-server': {
      const at = subject.address === undefined ? '' : ` (${printable(subject.address, 100)})`
      return `${printable(subject.name, 300)}${at}`
    }
    case 'record':
      return `${printable(subject.type, 20)} ${printable(subject.name, 300)}`
  }
}

function notCheckedLines({ notChecked }: ExaminedReport, columns: number, paint: Paint): string[] {
  const groups = groupNotChecked(notChecked)
  return [
    paint('dim', `? not checked: ${notChecked.length}, which is no fault of the domain`),
    ...groups.flatMap(({ why, ids }) => [
      ...wrapped(why, columns, '    '),
      ...wrapped(ids.join(', '), columns, '      ').map((line) => paint('dim', line)),
    ]),
  ]
}

function rowLine(report: DomainReport, paint: Paint): string {
  if (report.kind === 'unexamined')
    return `${paint('yellow', '?')} ${printable(report.domain, 300)}: could not be examined: ${printable(report.why)}`
  const counts = paint('dim', ` [${countsText(report)}]`)
  return `${stateMark(report.summary.state, paint)} ${printable(report.summary.headline)}${counts}`
}

const stateWords: Readonly<Record<State, string>> = {
  arrives: 'mail arrives',
  'way-in-order': 'the way is in order, SMTP not seen',
  'arrives-in-part': 'mail fails for some senders',
  'does-not-arrive': 'mail does not arrive',
  'takes-no-mail': 'takes no mail, and says so',
  'no-such-domain': 'no such domain',
  unknown: 'could not be examined',
}

/** The summary table of a run. */
export function tallyLines({ domains, states, rules }: Tally, paint: Paint): string[] {
  const order = Object.keys(stateWords) as State[]
  const stateRows = order.flatMap((state) => {
    const found = states.get(state) ?? 0
    return found === 0 ? [] : [[String(found), stateWords[state]]]
  })
  const ruleRows = [...rules]
    .map(([id, counts]) => ({ id, ...counts, all: counts.error + counts.warning + counts.notice }))
    .sort((one, other) => other.error - one.error || other.warning - one.warning || other.all - one.all)
    .map(({ id, error, warning, notice }) => [
      id,
      ...[error, warning, notice].map((found) => (found === 0 ? '–' : String(found))),
    ])
  const [head = '', ...rows] = table(
    [['found in so many domains', 'error', 'warning', 'notice'], ...ruleRows],
    new Set([1, 2, 3]),
  )
  return [
    paint('bold', counted(domains, 'domain')),
    ...table(stateRows, new Set([0])).map((line) => `  ${line}`),
    ...(ruleRows.length > 0 ? ['', `  ${paint('dim', head)}`, ...rows.map((line) => `  ${line}`)] : []),
  ]
}
