/** What the reports of all benchmarks need: medians and how far they are to be trusted, and tables for a terminal. */

/** Of the two in the middle their mean; undefined where there are none. */
export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)]
  if (upper === undefined || !Number.isInteger(middle)) return upper
  return ((sorted[middle - 1] ?? upper) + upper) / 2
}

/** What lies below a share of all values, 0–1. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.floor(share * sorted.length)))] ?? Number.NaN
}

/** Between which of the values the true median lies, in 95 of 100 runs: by their order alone, whatever their distribution. */
export function medianBetween(values: readonly number[]): readonly [low: number, high: number] {
  const sorted = [...values].sort((a, b) => a - b)
  // How many of n lie below it is binomial: n/2 in the mean, with a deviation of √n/2.
  const half = 0.98 * Math.sqrt(sorted.length)
  const at = (place: number) => sorted[Math.min(sorted.length - 1, Math.max(0, place))] ?? Number.NaN
  return [at(Math.floor(sorted.length / 2 - half)), at(Math.ceil(sorted.length / 2 + half) - 1)]
}

/** @param names  how many columns hold names, which begin at the left; figures end at the right */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[], names: number): string {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const pad = (cell: string, column: number) =>
    column < names ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
  return all.map((row) => row.map(pad).join('  ').trimEnd()).join('\n')
}
