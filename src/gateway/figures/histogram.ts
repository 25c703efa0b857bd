/**
 * How long things took, as counts of values by size: two kinds of bounds over one set of values. Fine ones, each 15 % above the last, bring
 * percentiles within that; coarse ones are what monitoring reads. Plain numbers, so that counts are added up, kept in a row and read again.
 * For `figures` and `watch`.
 */

/** Upper bounds in milliseconds, from 1 ms to above five minutes; one more bucket is for what lies beyond. */
export const fineBoundsMs: readonly number[] = Array.from({ length: 92 }, (_, step) => 1.15 ** step)

/** Upper bounds in seconds, for a Prometheus histogram; the last bucket there is `+Inf`. */
export const coarseBoundsSeconds: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300,
]

/** Counts by `fineBoundsMs`, without the empty ones at the end. */
export type FineCounts = number[]

const growth = Math.log(1.15)

export function countFine(counts: FineCounts, ms: number): void {
  const bucket = ms <= 1 ? 0 : Math.min(fineBoundsMs.length, Math.ceil(Math.log(ms) / growth - 1e-9))
  while (counts.length <= bucket) counts.push(0)
  counts[bucket] = (counts[bucket] ?? 0) + 1
}

/** Adds one to the other. */
export function addFine(to: FineCounts, more: readonly number[]): void {
  while (to.length < more.length) to.push(0)
  for (let bucket = 0; bucket < more.length; bucket++) to[bucket] = (to[bucket] ?? 0) + (more[bucket] ?? 0)
}

/**
 * The value that a share of all values does not exceed, within 15 %.
 * @param share  0–1: 0.95 for the 95th percentile
 * @returns milliseconds, undefined where nothing was counted
 */
export function percentileMs(counts: readonly number[], share: number): number | undefined {
  const all = counts.reduce((sum, count) => sum + count, 0)
  if (all === 0) return undefined
  const wanted = Math.max(1, Math.ceil(share * all))
  let seen = 0
  for (const [bucket, count] of counts.entries()) {
    seen += count
    if (seen < wanted) continue
    const upper = fineBoundsMs[Math.min(bucket, fineBoundsMs.length - 1)] ?? 0
    return upper < 10 ? Math.round(upper * 10) / 10 : Math.round(upper)
  }
  return undefined
}

export interface Percentiles {
  readonly p50Ms: number | undefined
  readonly p95Ms: number | undefined
  readonly p99Ms: number | undefined
}

export const percentiles = (counts: readonly number[]): Percentiles => ({
  p50Ms: percentileMs(counts, 0.5),
  p95Ms: percentileMs(counts, 0.95),
  p99Ms: percentileMs(counts, 0.99),
})

/** Which of `coarseBoundsSeconds`, or one beyond the last. */
export function coarseBucket(ms: number): number {
  const bucket = coarseBoundsSeconds.findIndex((bound) => ms <= bound * 1000)
  return bucket < 0 ? coarseBoundsSeconds.length : bucket
}
