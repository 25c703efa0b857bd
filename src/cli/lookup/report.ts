/**
 * What `waypost lookup` prints: a table for people, an object for machines. Pure but for the colours, which follow NO_COLOR and whether standard
 * output is a terminal. All that comes from DNS goes through `printable`.
 */
import { styleText } from 'node:util'
import { printable } from '../../base/printable.ts'
import { roughSpanText } from '../../base/time-text.ts'
import type { Candidate, Dropped, Exchangers } from '../../routing/exchangers.ts'

export interface LookupReport {
  /** As it was written. */
  readonly asked: string
  readonly found: Exchangers
}

export function reportJson({ asked, found }: LookupReport): string {
  return JSON.stringify({ asked, ...found })
}

export function reportText({ asked, found }: LookupReport): string {
  const lines = [headline(asked, found)]
  const facts = factsOf(found)
  if (facts) lines.push(dim(`  ${facts}`))
  for (const note of found.notes) lines.push(noteLine(note))
  if (found.kind === 'candidates') lines.push('', ...candidateLines(found.candidates))
  if (found.dropped.length > 0) lines.push('', ...droppedLines(found.dropped))
  if (found.dropped.some(({ isNotPublic }) => isNotPublic)) lines.push('', dim('  --private takes these addresses too'))
  return `${lines.join('\n')}\n`
}

function headline(asked: string, found: Exchangers): string {
  const given = printable(asked, 300)
  const name = bold(given === found.domain ? given : `${given} (${found.domain})`)
  switch (found.kind) {
    case 'candidates': {
      const count = found.candidates.length === 1 ? '1 server' : `${found.candidates.length} servers`
      return `${good('✓')} ${name}: ${count} to try`
    }
    case 'null-mx':
      return `${bad('✗')} ${name}: takes no mail, and says so (null MX, RFC 7505)`
    case 'no-such-domain':
      return `${bad('✗')} ${name}: no such domain: ${printable(found.why)}`
    case 'no-mail-host':
      return `${bad('✗')} ${name}: no mail host: ${printable(found.why)}`
    case 'loop':
      return `${bad('✗')} ${name}: a loop: ${printable(found.why)}`
    case 'temporary-failure':
      return `${odd('?')} ${name}: could not be told now: ${printable(found.why)}`
  }
}

function factsOf(found: Exchangers): string {
  if (found.source === 'literal' || found.kind === 'temporary-failure') return ''
  const answeredBy = found.answeredBy === undefined ? '' : `answered by ${found.answeredBy}`
  if (found.kind === 'no-such-domain') return answeredBy
  return [
    found.source === 'mx' ? 'from MX records' : 'from its addresses, having no MX records',
    // The least TTL of all that was asked.
    `${found.source === 'mx' ? 'with their addresses ' : ''}good for ${roughSpanText(found.ttlSeconds)}`,
    answeredBy,
    found.authenticated ? 'validated by DNSSEC' : '',
    found.stale ? 'older than its TTL, because no name server answers' : '',
  ]
    .filter((fact) => fact !== '')
    .join(', ')
}

function candidateLines(candidates: readonly Candidate[]): string[] {
  const rows = candidates.map(({ host, preference, share, reason }, index) => [
    String(index + 1),
    shareText(share),
    String(preference),
    printable(host),
    reason,
  ])
  const head = ['#', 'first', 'pref', 'server', 'why']
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  // Numbers to the right, words to the left; nothing behind the last column.
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => {
        if (column === row.length - 1) return cell
        return column < 3 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)
      })
      .join('  ')
  const indent = ' '.repeat(2 + widths.slice(0, 3).reduce((sum, width) => sum + width + 2, 0))
  return [
    dim(`  ${line(head)}`),
    ...candidates.flatMap(({ addresses, notes }, index) => [
      `  ${line(rows[index] ?? [])}`,
      ...addresses.map((address) => dim(`${indent}${address}`)),
      ...notes.map((note) => `${indent}${odd('!')} ${printable(note)}`),
    ]),
  ]
}

function droppedLines(dropped: readonly Dropped[]): string[] {
  const names = dropped.map(({ host }) => printable(host, 255))
  const width = Math.max(...names.map((name) => name.length))
  const numbers = Math.max(...dropped.map(({ preference }) => String(preference).length))
  return [
    '  left out:',
    ...dropped.map(({ preference, why }, index) => {
      return `  ${String(preference).padStart(numbers)}  ${(names[index] ?? '').padEnd(width)}  ${dim(printable(why))}`
    }),
  ]
}

const noteLine = (note: string) => `  ${odd('!')} ${printable(note)}`

/** `50 %`, `8.3 %`, and nothing where nobody tries it first. */
function shareText(share: number): string {
  if (share === 0) return '–'
  const percent = share * 100
  return `${Number.isInteger(percent) ? percent : percent.toFixed(1)} %`
}

// styleText leaves colours out where NO_COLOR is set or standard output is no terminal.
const bold = (text: string) => styleText('bold', text)
const dim = (text: string) => styleText('dim', text)
const good = (text: string) => styleText('green', text)
const bad = (text: string) => styleText('red', text)
const odd = (text: string) => styleText('yellow', text)
