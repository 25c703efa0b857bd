/** Rounds to medians and ratios, and those to a table. Ratios are made within a round, where both saw the same machine. */
import { median, textTable } from '../figures.ts'
import type { Mode } from '../relay/source.ts'
import type { ContenderName } from './contenders.ts'
import type { Measured, Rate } from './measure.ts'

export interface Round {
  readonly mode: Mode
  readonly results: ReadonlyMap<ContenderName, Measured>
}

/** Taking, by kind of connection, and draining, which knows no kinds. */
type What = 'take, new' | 'take, reused' | 'drain'

export interface Line {
  readonly what: What
  readonly name: ContenderName
  readonly perSecond: number
  readonly lowest: number
  readonly highest: number
  readonly ofPostfix: number | undefined
  /** With many messages held, by the same with none. */
  readonly ofEmpty: number | undefined
  readonly processorMsEach: number | undefined
}

export function summarise(rounds: readonly Round[], names: readonly ContenderName[]): Line[] {
  return (['take, new', 'take, reused', 'drain'] as const).flatMap((what) => {
    const own = rounds.filter(({ mode }) => what === 'drain' || what === `take, ${mode}`)
    const rate = (round: Round, name: ContenderName): Rate | undefined =>
      round.results.get(name)?.[what === 'drain' ? 'drain' : 'accept']
    return names.map((name): Line => {
      const rates = own.flatMap((round) => rate(round, name) ?? [])
      const ratio = (by: ContenderName) =>
        median(
          own.flatMap((round) => {
            const [mine, theirs] = [rate(round, name), rate(round, by)]
            return mine && theirs && name !== by ? [mine.perSecond / theirs.perSecond] : []
          }),
        )
      return {
        what,
        name,
        perSecond: median(rates.map(({ perSecond }) => perSecond)) ?? 0,
        lowest: Math.min(...rates.map(({ perSecond }) => perSecond)),
        highest: Math.max(...rates.map(({ perSecond }) => perSecond)),
        ofPostfix: ratio('postfix'),
        ofEmpty: name === 'waypost-full' ? ratio('waypost') : undefined,
        processorMsEach: median(rates.map(({ processorMsEach }) => processorMsEach)),
      }
    })
  })
}

export function table(lines: readonly Line[]): string {
  const head = ['', 'by', 'messages/s', '(range)', 'of postfix', 'of empty', 'CPU ms each']
  const rows = lines.map((line) => [
    line.what,
    line.name,
    line.perSecond.toFixed(0),
    `${line.lowest.toFixed(0)}-${line.highest.toFixed(0)}`,
    line.ofPostfix?.toFixed(2) ?? '',
    line.ofEmpty?.toFixed(2) ?? '',
    line.processorMsEach?.toFixed(3) ?? '',
  ])
  return textTable(head, rows, 2)
}
