/** The measurements of all rounds as a table of medians, each beside the yardstick of the same round. Used by `run.ts`. */
import { median, textTable } from '../figures.ts'
import type { ContenderName } from './contenders.ts'

export interface Measured {
  readonly perSecond: number
  readonly lostPercent: number
  readonly latencyMs: number
  readonly latencyDeviationMs: number
  /** Processor time of the server for one answer, microseconds. */
  readonly processorUs: number
}

export function table(measured: ReadonlyMap<ContenderName, readonly Measured[]>): string {
  const bare = measured.get('bare-map') ?? []
  const head = ['server', 'answers/s', 'of bare', 'CPU µs', 'bare of it', 'latency ms', 'deviation', 'lost %']
  const rows = Array.from(measured, ([name, rounds]) => {
    const middle = (pick: (one: Measured) => number) => median(rounds.map(pick)) ?? Number.NaN
    const beside = (pick: (one: Measured, yardstick: Measured) => number) =>
      median(rounds.flatMap((one, index) => (bare[index] ? [pick(one, bare[index])] : [])))?.toFixed(2) ?? ''
    return [
      name,
      middle((one) => one.perSecond).toFixed(0),
      beside((one, yardstick) => one.perSecond / yardstick.perSecond),
      middle((one) => one.processorUs).toFixed(1),
      beside((one, yardstick) => yardstick.processorUs / one.processorUs),
      middle((one) => one.latencyMs).toFixed(2),
      middle((one) => one.latencyDeviationMs).toFixed(2),
      middle((one) => one.lostPercent).toFixed(2),
    ]
  })
  return textTable(head, rows, 1)
}
