/**
 * A file of the configuration as text with places, and the problems that are found in it: what every part of `config` reports
 * with, and the one way in which problems are shown.
 */
import { printable } from '../base/printable.ts'
import { trimEnd } from '../base/trim-end.ts'

/** One thing that is wrong, with its place. */
export interface Problem {
  readonly file: string
  /** From 1; 0 where the file as a whole is meant. */
  readonly line: number
  /** From 1, in characters. */
  readonly column: number
  /** The line as it stands in the file; empty where there is none. */
  readonly sourceLine: string
  /** Characters that the caret underlines, at least 1. */
  readonly width: number
  readonly message: string
}

export interface Source {
  readonly path: string
  readonly text: string
  /** @param start  offset into the text; @param end  offset behind the last character that is meant */
  problem(start: number, end: number, message: string): Problem
  /** Whether this was not yet said of this place. With an alias one text stands in several places of the configuration, and is wrong once. */
  isNew(start: number, end: number, what: string): boolean
}

export function createSource(path: string, text: string): Source {
  let lineStarts: readonly number[] | undefined
  const said = new Set<string>()
  return {
    path,
    text,
    problem(start, end, message) {
      lineStarts ??= findLineStarts(text)
      const at = Math.min(Math.max(0, start), text.length)
      const line = lineOf(lineStarts, at)
      const lineStart = lineStarts[line] ?? 0
      const lineEnd = lineStarts[line + 1] ?? text.length
      const sourceLine = trimEnd(text.slice(lineStart, lineEnd), '\r\n')
      const width = Math.max(1, Math.min(end, lineStart + sourceLine.length) - at)
      return { file: path, line: line + 1, column: at - lineStart + 1, sourceLine, width, message }
    },
    isNew(start, end, what) {
      const before = said.size
      return said.add(`${start} ${end} ${what}`).size > before
    },
  }
}

/** A problem of a file as a whole. */
export function problemOfFile(file: string, message: string): Problem {
  return { file, line: 0, column: 0, sourceLine: '', width: 1, message }
}

/** In the order of the files' reading, then by place; each once, also where an alias brings a text into several places. */
export function sortProblems(problems: readonly Problem[], files: readonly string[]): Problem[] {
  const order = new Map(files.map((file, index) => [file, index]))
  const rank = (problem: Problem) => order.get(problem.file) ?? files.length
  const distinct = new Map(problems.map((one) => [`${one.file}\0${one.line} ${one.column} ${one.message}`, one]))
  return [...distinct.values()].sort((a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column)
}

/** Problems that are shown, `--json` apart; a file with a thousand wrong lines has one cause. */
const mostShown = 20

/** For people, on a terminal or in a log. Ends without a newline. */
export function formatProblems(problems: readonly Problem[]): string {
  const shown = problems.slice(0, mostShown).map(formatProblem)
  const more = problems.length - shown.length
  return [...shown, ...(more > 0 ? [`… and ${more} more`] : [])].join('\n')
}

function formatProblem(problem: Problem): string {
  const file = printable(problem.file)
  if (problem.line === 0) return `${file}: ${printable(problem.message)}`
  const head = `${file}:${problem.line}:${problem.column}: ${printable(problem.message)}`
  if (problem.sourceLine === '') return head
  // What stands before the caret is shown as `printable` shows it, so that the caret stays under its text; long lines are cut.
  const first = problem.column - 1 > 100 ? problem.column - 1 - 60 : 0
  const before = printable(problem.sourceLine.slice(first, problem.column - 1))
  const marked = printable(
    problem.sourceLine.slice(problem.column - 1, problem.column - 1 + Math.min(problem.width, 80)),
  )
  const after = printable(problem.sourceLine.slice(problem.column - 1 + Math.min(problem.width, 80)), 60)
  const gutter = `${problem.line} | ${first > 0 ? '…' : ''}`
  const caret = `${' '.repeat(columnsOf(gutter + before))}${'^'.repeat(Math.max(1, columnsOf(marked)))}`
  return `${head}\n  ${gutter}${before}${marked}${after}\n  ${caret}`
}

/** That a terminal gives the text: two to CJK, none to a mark that combines. What stands outside of the BMP is two units, and mostly two columns. */
const columnsOf = (text: string): number => text.replace(/\p{M}/gu, '').replace(twoColumns, '  ').length

const twoColumns =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]/g

function findLineStarts(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

function lineOf(starts: readonly number[], offset: number): number {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((starts[middle] ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return low
}
