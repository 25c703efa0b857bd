/** How `waypost queue` and `waypost trace` say times, sizes and states to people. Pure. */
import { styleText } from 'node:util'
import { shortLengthText } from '../../base/time-text.ts'
import type { RecipientState } from '../../queue/queue.ts'

/** `512 B`, `4.0 KiB`, `2.3 GiB`. */
export function sizeText(octets: number): string {
  if (octets < 1024) return `${octets} B`
  const power = Math.min(4, Math.floor(Math.log2(octets) / 10))
  return `${(octets / 1024 ** power).toFixed(1)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`
}

/** `2026-11-23 18:32:59Z` */
export const momentText = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')}Z`

/** When something is due: `now`, `in 5 min`. */
export const dueText = (ms: number | null, nowMs: number): string =>
  ms === null ? '-' : ms <= nowMs ? 'now' : `in ${shortLengthText(ms - nowMs)}`

/** Of what has no backend now: the gateway looks for one every half minute at least. */
export const whenUp = 'when one is up'

/** Columns, each as wide as its widest cell; numbers stand right where the heading begins with a blank. */
export function tableText(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  const isRight = widths.map((_, column) => rows[0]?.[column]?.startsWith(' ') ?? false)
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) =>
            isRight[column] ? cell.trim().padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
          )
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

export const counted = (number: number, what: string): string =>
  `${number.toLocaleString('en')} ${what}${number === 1 ? '' : 's'}`

export const bold = (text: string): string => styleText('bold', text)
export const dim = (text: string): string => styleText('dim', text)

/** What a state means, in a few words. */
export const stateWords: Readonly<Record<RecipientState, string>> = {
  offered: 'is being handed over',
  ready: 'goes as soon as its route can take it',
  waiting: 'was not taken, and is tried again in a while',
  unknown: 'a backend may have it: it never answered',
  held: 'a person holds it',
  'no-route': 'its domain is not declared any more',
  refused: 'a backend refused it after it was taken: for a person',
  expired: 'its time is over: for a person',
  'set-aside': 'attempts at it failed by a fault of Waypost: for a person',
  corrupt: 'what is stored is not what came: for a person',
}
