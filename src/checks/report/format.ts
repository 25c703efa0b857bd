/**
 * The formats by name. Each writes a run piece by piece, so that a run over a million domains takes no more memory than one over ten: a
 * beginning, a piece a domain as it comes, an end. Called by `waypost check`.
 */
import type { Severity } from '../finding.ts'
import type { DomainReport } from './domain-report.ts'
import { htmlFormat } from './html.ts'
import { jsonFormat, jsonLinesFormat } from './json.ts'
import { junitFormat } from './junit.ts'
import type { Tally } from './tally.ts'
import { textFormat } from './text.ts'

export const formatNames = ['text', 'json', 'jsonl', 'html', 'junit'] as const
export type FormatName = (typeof formatNames)[number]

const formatsByEnding: Readonly<Record<string, FormatName>> = {
  jsonl: 'jsonl',
  json: 'json',
  html: 'html',
  htm: 'html',
  xml: 'junit',
}

/** What the name of a file says of its format; undefined: nothing. */
export function formatOfFile(path: string): FormatName | undefined {
  const ending = /\.([a-z]+)$/i.exec(path)?.[1]?.toLowerCase() ?? ''
  return Object.hasOwn(formatsByEnding, ending) ? formatsByEnding[ending] : undefined
}

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

const formats: Readonly<Record<FormatName, (options: FormatOptions) => ReportFormat>> = {
  text: textFormat,
  json: jsonFormat,
  jsonl: jsonLinesFormat,
  html: htmlFormat,
  junit: junitFormat,
}

export const createFormat = (name: FormatName, options: FormatOptions): ReportFormat => formats[name](options)
