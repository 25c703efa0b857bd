/**
 * The formats by name. Each writes a run piece by piece, so that a run over a million domains takes no more memory than one over ten: a
 * beginning, a piece a domain as it comes, an end. Called by `waypost check`.
 */
import { htmlFormat } from './html.ts'
import { jsonFormat, jsonLinesFormat } from './json.ts'
import { junitFormat } from './junit.ts'
import type { FormatOptions, ReportFormat } from './report-format.ts'
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

const formats: Readonly<Record<FormatName, (options: FormatOptions) => ReportFormat>> = {
  text: textFormat,
  json: jsonFormat,
  jsonl: jsonLinesFormat,
  html: htmlFormat,
  junit: junitFormat,
}

export const createFormat = (name: FormatName, options: FormatOptions): ReportFormat => formats[name](options)
