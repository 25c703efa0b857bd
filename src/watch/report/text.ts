/** A report for a terminal. Pure; the terminal makes it safe, and names of others are made so here. */
import { printable } from '../../base/printable.ts'
import { lengthText, timeText } from '../../base/time-text.ts'
import type { Available, Day, Outage, Report } from './report.ts'

export function reportText(report: Report): string {
  const { domain, fromMs, untilMs, messages, latency, backends, exchangers, outages, days } = report
  const lines = [
    `${printable(domain, 300)}, ${timeText(fromMs)} to ${timeText(untilMs)}`,
    ...(report.isDeclared ? [] : ['  The domain is not declared now; this is what is known of it.']),
    '',
    'Messages',
    ...table([
      ['delivered at once', number(messages.delivered)],
      ['held, then delivered', number(messages.drained)],
      ['held in all', number(messages.held + messages.unknown)],
      ['refused', number(messages.refused)],
      ['deferred', number(messages.deferred)],
      ['recipients refused', number(messages.recipientsRefused)],
      ...(messages.refusedAfterHold > 0 ? [['refused after a hold', number(messages.refusedAfterHold)] as const] : []),
      ['octets taken', sizeText(messages.bytes)],
      ['latency, half within', msText(latency.p50Ms)],
      ['         95 % within', msText(latency.p95Ms)],
      ['         99 % within', msText(latency.p99Ms)],
    ]),
    '',
    'Availability',
    ...availableLines('backend', backends),
    ...availableLines('exchanger', exchangers),
    '',
    'Outages',
    ...(outages.length === 0 ? ['  none'] : outages.map((outage) => `  ${outageText(outage, untilMs)}`)),
    ...(days.length > 1 ? ['', 'Days', ...dayLines(days)] : []),
    '',
    'Findings of the last check',
    ...findingLines(report),
  ]
  return `${lines.join('\n')}\n`
}

function availableLines(what: 'backend' | 'exchanger', list: readonly Available[]): string[] {
  if (list.length === 0)
    return [`  nothing is known of ${what === 'backend' ? 'backends' : 'exchangers: no check has looked at them'}`]
  return table(
    list.map(({ name, share, known }) => [printable(name, 300), `${shareText(share)}  ${knownText(what, known)}`]),
  )
}

export const knownText = (what: 'backend' | 'exchanger', known: number) =>
  what === 'backend' ? `of ${lengthText(known)}` : `of ${known} ${known === 1 ? 'look' : 'looks'}`

/** Never rounded up to 100 %: nine nines are no zero outages. */
export function shareText(share: number): string {
  const percent = Math.floor(share * 100_000) / 1_000
  return `${percent} %`
}

function outageText(outage: Outage, untilMs: number): string {
  const { kind, name, beganMs, endedMs, held, drained, expired, longestMs, left } = outage
  const span =
    endedMs === null
      ? `since ${timeText(beganMs)}, for ${lengthText(untilMs - beganMs)}`
      : `${timeText(beganMs)}, for ${lengthText(endedMs - beganMs)}`
  if (kind === 'backend') return `${span}: ${printable(name, 300)} was down`
  // Some may have been removed or refused: those are neither delivered nor expired nor left.
  const became = `${drained} delivered${expired === 0 ? '' : `, ${expired} expired`}${left === null ? '' : `, ${left} still held`}`
  const rest = endedMs === null ? `: so far ${became}` : drained < held ? `: ${became}` : ''
  return `${span}: ${held} ${held === 1 ? 'message' : 'messages'} held, ${lengthText(longestMs)} at the longest${rest}`
}

function dayLines(days: readonly Day[]): string[] {
  const rows = days.map(({ atMs, delivered, held, refused, deferred, p95Ms }) => [
    new Date(atMs).toISOString().slice(0, 10),
    ...[delivered, held, refused, deferred].map(number),
    msText(p95Ms),
  ])
  return columns([['day', 'delivered', 'held', 'refused', 'deferred', '95 % within'], ...rows])
}

/** With what it is about, where that is not the domain itself. */
export const findingText = ({ title, about }: Report['findings'][number], domain: string): string =>
  about === null || about === domain ? printable(title, 300) : `${printable(about, 300)}: ${printable(title, 300)}`

function findingLines({ findings, checkedMs, domain }: Report): string[] {
  if (checkedMs === null)
    return [
      '  the domain has not been checked: watch.checks in waypost.yaml says how often, "waypost check" does it now',
    ]
  const head = `  ${timeText(checkedMs)}: ${findings.length === 0 ? 'nothing is wrong' : ''}`.trimEnd()
  return [head, ...findings.map((finding) => `  ${finding.severity}: ${findingText(finding, domain)}`)]
}

const table = (rows: readonly (readonly [string, string])[]): string[] => {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return rows.map(
    (row) =>
      `  ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')}`,
  )
}

export const number = (value: number) => value.toLocaleString('en')

export const msText = (ms: number | undefined) =>
  ms === undefined ? '–' : ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`

export function sizeText(octets: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = octets
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}
