/** What the reports of all benchmarks need: medians, and tables for a terminal. */

/** Of the two in the middle their mean; undefined where there are none. */
export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)]
  if (upper === undefined || !Number.isInteger(middle)) return upper
  return ((sorted[middle - 1] ?? upper) + upper) / 2
}

/** @param names  how many columns hold names, which begin at the left; figures end at the right */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[], names: number): string {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const pad = (cell: string, column: number) =>
    column < names ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
  return all.map((row) => row.map(pad).join('  ').trimEnd()).join('\n')
}
