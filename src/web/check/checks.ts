/**
 * Checks that somebody started from the page: each is run once, told step by step to whoever looks on, and kept with its report for a while. Few at a time,
 * because each asks hundreds of questions of others. Called by `api/checks.ts`; `cli` hands in what checks.
 */
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { DomainReport } from '../../checks/report/domain-report.ts'

/** Checks one domain. @param step  is told of each part that is over */
export type RunCheck = (domain: string, step: (words: string) => void) => Promise<DomainReport>

export interface Check {
  readonly id: string
  readonly domain: string
  readonly startedMs: number
  readonly steps: readonly { readonly atMs: number; readonly words: string }[]
  /** Undefined while it goes on; `failed` where a fault of ours ended it. */
  readonly report: DomainReport | 'failed' | undefined
  /** Resolves at the next step, and at the end. */
  readonly changed: Promise<void>
}

export type Started = { readonly kind: 'started'; readonly id: string } | { readonly kind: 'too-many' }

export interface Checks {
  /**
   * A domain that is being looked at is not looked at twice at once.
   * @param mayAll  may use up what there is; others leave some of it
   */
  start(domain: string, mayAll: boolean): Started
  find(id: string): Check | undefined
  /** The newest one of a domain that came to its end. */
  last(domain: string): Check | undefined
}

const atOnce = 2
const aMinute = 10
/** What is left of both to whoever may act: `view` cannot use up all. */
const reservedAtOnce = 1
const reservedAMinute = 4
const kept = 30
const mostSteps = 300

interface Running extends Omit<Check, 'changed'> {
  steps: { atMs: number; words: string }[]
  report: Check['report']
  change: PromiseWithResolvers<void>
}

export function createChecks(
  run: RunCheck,
  deps: { readonly clock: Clock; readonly random: Random; readonly failed: (error: unknown) => void },
): Checks {
  const { clock, random } = deps
  const checks = new Map<string, Running>()
  let running = 0

  const step = (check: Running, words: string) => {
    if (check.steps.length < mostSteps) check.steps.push({ atMs: clock.now(), words })
    wake(check)
  }

  function wake(check: Running): void {
    check.change.resolve()
    check.change = Promise.withResolvers()
  }

  async function carryOut(check: Running): Promise<void> {
    running++
    try {
      check.report = await run(check.domain, (words) => step(check, words))
    } catch (error) {
      deps.failed(error)
      check.report = 'failed'
    } finally {
      running--
      wake(check)
    }
  }

  const shown = (check: Running | undefined): Check | undefined =>
    check && { ...check, steps: check.steps, changed: check.change.promise }

  return {
    start(domain, mayAll) {
      const same = [...checks.values()].find((check) => check.domain === domain && check.report === undefined)
      if (same) return { kind: 'started', id: same.id }
      const sinceMs = clock.now() - 60_000
      const lately = [...checks.values()].filter(({ startedMs }) => startedMs > sinceMs).length
      const isTooMuch =
        running >= atOnce - (mayAll ? 0 : reservedAtOnce) || lately >= aMinute - (mayAll ? 0 : reservedAMinute)
      if (isTooMuch) return { kind: 'too-many' }
      const id = random.bytes(12).toString('hex')
      const check: Running = {
        ...{ id, domain, startedMs: clock.now(), steps: [], report: undefined },
        change: Promise.withResolvers(),
      }
      checks.set(id, check)
      for (const [oldest, { report }] of checks) {
        if (checks.size <= kept) break
        if (report !== undefined) checks.delete(oldest)
      }
      void carryOut(check)
      return { kind: 'started', id }
    },
    find: (id) => shown(checks.get(id)),
    last: (domain) =>
      shown(
        [...checks.values()].findLast(
          (check) => check.domain === domain && check.report !== undefined && check.report !== 'failed',
        ),
      ),
  }
}
