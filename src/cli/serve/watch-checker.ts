/** The checker that watching uses, within `serve` and for `waypost watch`: made anew every hour, so that what it found out about this machine and about shared hosts does not stand for ever. */
import type { Clock } from '../../base/clock.ts'
import { type Checked, type Checker, type CheckerOptions, createChecker } from '../../checks/check-domain.ts'
import { type HostName, rootName } from '../../dns/name.ts'
import type { WatchedDomain, WatchingSettings } from '../../watch/settings.ts'
import type { CheckDeps } from '../check/run.ts'

export interface WatchChecker {
  check(domain: WatchedDomain, probe: WatchingSettings['watch']['probe']): Promise<Checked>
  close(): void
}

interface Current {
  readonly checker: Checker
  readonly gateway: HostName
  readonly madeMs: number
  running: number
  isOld: boolean
}

const anewMs = 3_600_000

/** How it looks, and what the gateway that stands behind some exchangers calls itself. */
export interface WatchCheckerSettings {
  readonly options: CheckerOptions
  readonly gateway: HostName
}

/** @param settings  asked each time that a checker is made */
export function createWatchChecker(
  settings: () => WatchCheckerSettings,
  deps: CheckDeps & { readonly clock: Clock },
): WatchChecker {
  let current: Current | undefined

  function checkerNow() {
    const nowMs = deps.clock.monotonicMs()
    if (current && nowMs - current.madeMs > anewMs) {
      current.isOld = true
      if (current.running === 0) current.checker.close()
      current = undefined
    }
    if (!current) {
      const { options, gateway } = settings()
      current = { checker: createChecker(options, deps), gateway, madeMs: nowMs, running: 0, isOld: false }
    }
    return current
  }

  return {
    async check({ name, declaration }, probe) {
      const used = checkerNow()
      used.running++
      const exchangers = declaration?.exchangers
      const declaredExchangers = exchangers === 'none' ? [{ host: rootName, preference: 0 }] : exchangers
      try {
        const context = { gateway: used.gateway, ...(declaredExchangers ? { declaredExchangers } : {}) }
        return await used.checker.check(name, context, { probe })
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
