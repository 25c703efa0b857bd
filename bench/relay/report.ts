/** Rounds to medians and ratios, and those to a table. Ratios are made within a round, where both saw the same machine. */
import { median, textTable } from '../figures.ts'
import type { ContenderName } from './contenders.ts'
import type { Measured } from './measure.ts'
import type { Mode } from './source.ts'

export interface Round {
  readonly mode: Mode
  readonly results: ReadonlyMap<ContenderName, Measured>
}

export interface Line {
  readonly mode: Mode
  readonly name: ContenderName
  readonly perSecond: number
  readonly lowest: number
  readonly highest: number
  /** Rate by the direct rate, by that of Postfix as a pass-through. */
  readonly ofDirect: number | undefined
  readonly ofProxy: number | undefined
  readonly processorMsEach: number | undefined
  /** Processor time by that of the unsafe minimum. */
  readonly ofMinimum: number | undefined
}

export function summarise(rounds: readonly Round[], modes: readonly Mode[], names: readonly ContenderName[]): Line[] {
  return modes.flatMap((mode) => {
    const own = rounds.filter((round) => round.mode === mode)
    const each = (pick: (round: Round) => number | undefined) => own.map(pick).filter((value) => value !== undefined)
    return names.map((name) => {
      const rates = each((round) => round.results.get(name)?.perSecond)
      return {
        mode,
        name,
        perSecond: median(rates) ?? 0,
        lowest: Math.min(...rates),
        highest: Math.max(...rates),
        ofDirect: median(each((round) => ratio(round, name, 'direct', (one) => one.perSecond))),
        ofProxy: median(each((round) => ratio(round, name, 'postfix-proxy', (one) => one.perSecond))),
        processorMsEach: median(each((round) => round.results.get(name)?.processorMsEach)),
        ofMinimum: median(each((round) => ratio(round, name, 'minimum', (one) => one.processorMsEach))),
      }
    })
  })
}

function ratio(
  round: Round,
  name: ContenderName,
  by: ContenderName,
  pick: (one: Measured) => number | undefined,
): number | undefined {
  const [own, other] = [name, by].map((which) => {
    const measured = round.results.get(which)
    return measured && pick(measured)
  })
  return own === undefined || !other ? undefined : own / other
}

export function table(lines: readonly Line[]): string {
  const head = [
    'connections',
    'relay',
    'messages/s',
    '(range)',
    'of direct',
    'of postfix-proxy',
    'CPU ms each',
    'CPU of minimum',
  ]
  const rows = lines.map((line) => [
    line.mode,
    line.name,
    line.perSecond.toFixed(0),
    `${line.lowest.toFixed(0)}-${line.highest.toFixed(0)}`,
    line.ofDirect?.toFixed(2) ?? '',
    line.ofProxy?.toFixed(2) ?? '',
    line.processorMsEach?.toFixed(3) ?? '',
    line.ofMinimum?.toFixed(2) ?? '',
  ])
  return textTable(head, rows, 2)
}
