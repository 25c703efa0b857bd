/**
 * How long things took, as counts of values by size: two kinds of bounds over one set of values. Fine ones, each 15 % above the last, bring
 * percentiles within that; coarse ones are what monitoring reads. Plain numbers, so that counts are added up, kept in a row and read again.
 * For `figures` and `watch`.
 */

/** Upper bounds in milliseconds, from 1 ms to above five minutes; one more bucket is for what lies beyond. */
const fineBoundsMs: readonly number[] = Array.from({ length: 92 }, (_, step) => 1.15 ** step)

/** Upper bounds in seconds, for a Prometheus histogram; the last bucket there is `+Inf`. */
export const coarseBoundsSeconds: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300,
]

/** Counts by `fineBoundsMs`, without the empty ones at the end. */
export type FineCounts = number[]

const growth = Math.log(1.15)

/** Adds one value, in milliseconds, to the counts. */
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

export interface Percentiles {
  readonly p50Ms: number | undefined
  readonly p95Ms: number | undefined
  readonly p99Ms: number | undefined
}

/** The values that 50, 95 and 99 of 100 do not exceed, within 15 %; milliseconds, undefined where nothing was counted. */
export function percentiles(counts: readonly number[]): Percentiles {
  let all = 0
  for (const count of counts) all += count
  if (all === 0) return { p50Ms: undefined, p95Ms: undefined, p99Ms: undefined }
  // In one walk: what is shown each second is made of many of these.
  let [bucket, seen] = [-1, 0]
  const upTo = (share: number) => {
    const wanted = Math.max(1, Math.ceil(share * all))
    while (seen < wanted && bucket < counts.length) seen += counts[++bucket] ?? 0
    const upper = fineBoundsMs[Math.min(bucket, fineBoundsMs.length - 1)] ?? 0
    return upper < 10 ? Math.round(upper * 10) / 10 : Math.round(upper)
  }
  return { p50Ms: upTo(0.5), p95Ms: upTo(0.95), p99Ms: upTo(0.99) }
}

/** Which of `coarseBoundsSeconds`, or one beyond the last. */
export function coarseBucket(ms: number): number {
  const bucket = coarseBoundsSeconds.findIndex((bound) => ms <= bound * 1000)
  return bucket < 0 ? coarseBoundsSeconds.length : bucket
}
