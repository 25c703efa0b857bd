/**
 * The chance of the fuzz tests. It is the same each time, so that what failed fails again; `FUZZ_SEED=7` is another, and `FUZZ_TIMES=20` is twenty
 * times as many rounds of it. `test/long` goes through many.
 */
import { type Random, seededRandom } from '../../src/base/random.ts'

const extra = Number(process.env.FUZZ_SEED ?? 0)
const times = Number(process.env.FUZZ_TIMES ?? 1)

/** @param seed  the test's own, where no other is asked for */
export const fuzzRandom = (seed: number): Random => seededRandom(seed + extra * 1_000_003)

/** @param usual  rounds in a run of all tests */
export const fuzzRounds = (usual: number): number => Math.ceil(usual * times)

/** For fast-check, which takes a seed of its own each time and tells it where a property fails. */
export const fuzzProperty = (usual: number) => ({
  numRuns: fuzzRounds(usual),
  ...(extra === 0 ? {} : { seed: extra }),
})
