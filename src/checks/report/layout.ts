/** Text on a terminal: lines of a width, columns, and our few colours. Pure. Whatever is laid out is made safe here once more. */
import { styleText } from 'node:util'
import { printable } from '../../base/printable.ts'
import type { State } from './summary.ts'
import type { Light } from './way-in.ts'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow'
export type Paint = (style: Style, text: string) => string

/** @param isColored  whether the reader is a terminal that wants colours; the caller knows of NO_COLOR */
export const createPaint = (isColored: boolean): Paint =>
  isColored ? (style, text) => styleText(style, text, { validateStream: false }) : (_, text) => text

export const fewestColumns = 40
/** Longer lines are hard to read. */
export const mostColumns = 110

/** Long enough for every sentence of a rule; what others wrote within it was cut before. */
const mostCharacters = 20_000

/** Lines of at most `columns` characters, the first behind `first`, the others behind as many blanks. A word that is too long stands alone. */
export function wrapped(text: string, columns: number, first = ''): string[] {
  const indent = ' '.repeat(first.length)
  const room = Math.max(10, columns - first.length)
  const lines: string[] = []
  let line = ''
  for (const word of printable(text, mostCharacters).split(' ')) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) > room) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].map((each, index) => (index === 0 ? first : indent) + each)
}

/** In characters; what is wider than one column (CJK) is rare in what we print, for names are ASCII. */
const widthOf = (text: string) => text.length

/** In front of the headline. */
export const stateMarks: Readonly<Record<State, string>> = {
  arrives: '✓',
  'way-in-order': '✓',
  'takes-no-mail': '–',
  'arrives-in-part': '!',
  'does-not-arrive': '✗',
  'no-such-domain': '✗',
  unknown: '?',
}

/** A domain may name one host in thousands of records. */
const mostPreferences = 5

export function preferencesText(preferences: readonly number[]): string {
  const more = preferences.length - mostPreferences
  const shown = preferences.slice(0, mostPreferences).join(', ')
  return more > 0 ? `${shown} and ${more} more` : shown
}

/** Rows in columns, each as wide as its widest cell, two blanks between; nothing behind the last. @param right  columns of numbers */
export function table(rows: readonly (readonly string[])[], right: ReadonlySet<number> = new Set()): string[] {
  const widths: number[] = []
  for (const row of rows)
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length)
    })
  return rows.map((row) =>
    row
      .map((cell, column) =>
        right.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
}

/** Without colours it is still told apart. */
export const lightMarks: Readonly<Record<Light['state'], string>> = { good: '✓', odd: '!', bad: '✗', unknown: '?' }
export const lightStyles: Readonly<Record<Light['state'], Style>> = {
  good: 'green',
  odd: 'yellow',
  bad: 'red',
  unknown: 'dim',
}

/** `100 %`, `33.3 %`, and a dash for nothing. */
export function shareText(share: number): string {
  if (share === 0) return '–'
  const percent = share * 100
  return `${Number.isInteger(percent) ? percent : percent.toFixed(1)} %`
}
