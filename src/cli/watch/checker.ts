/** The checker that watching uses, within `serve` and for `waypost watch`: made anew every hour, so that what it found out about this machine and about shared hosts does not stand for ever. */
import type { Clock } from '../../base/clock.ts'
import { type Checked, type Checker, type CheckerOptions, createChecker } from '../../checks/check-domain.ts'
import { rootName } from '../../dns/name.ts'
import type { WatchedDomain } from '../../watch/rounds.ts'
import type { WatchingSettings } from '../../watch/settings.ts'
import type { CheckDeps } from '../check/run.ts'

export interface WatchChecker {
  check(domain: WatchedDomain, probe: WatchingSettings['watch']['probe']): Promise<Checked>
  close(): void
}

const anewMs = 3_600_000

/** @param options  asked each time that a checker is made */
export function createWatchChecker(
  options: () => CheckerOptions,
  deps: CheckDeps & { readonly clock: Clock },
): WatchChecker {
  let current: { readonly checker: Checker; readonly madeMs: number; running: number; isOld: boolean } | undefined

  function checkerNow() {
    const nowMs = deps.clock.monotonicMs()
    if (current && nowMs - current.madeMs > anewMs) {
      current.isOld = true
      if (current.running === 0) current.checker.close()
      current = undefined
    }
    current ??= { checker: createChecker(options(), deps), madeMs: nowMs, running: 0, isOld: false }
    return current
  }

  return {
    async check({ name, declaration }, probe) {
      const used = checkerNow()
      used.running++
      const exchangers = declaration?.exchangers
      const declaredExchangers = exchangers === 'none' ? [{ host: rootName, preference: 0 }] : exchangers
      try {
        return await used.checker.check(name, declaredExchangers ? { declaredExchangers } : {}, { probe })
      } finally {
        used.running--
        if (used.isOld && used.running === 0) used.checker.close()
      }
    },
    close() {
      if (!current) return
      current.isOld = true
      if (current.running === 0) current.checker.close()
      current = undefined
    },
  }
}
