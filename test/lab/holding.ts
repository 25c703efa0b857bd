/** The hold of a lab's gateway: the real store on disk. */
import type { Clock } from '../../src/base/clock.ts'
import type { Log } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { openHolding } from '../../src/cli/holding.ts'
import type { Holding } from '../../src/gateway/hold/holding.ts'
import type { HoldLimits } from '../../src/queue/quota.ts'
import { diskClock, steadyClock } from './fast-clock.ts'

export interface LabHolding extends Holding {
  close(): Promise<void>
}

export async function openLabHolding(
  folder: string,
  deps: { readonly log: Log; readonly clock: Clock; readonly limits: HoldLimits },
): Promise<LabHolding> {
  const clock = deps.clock === steadyClock ? steadyClock : { ...diskClock, now: () => deps.clock.now() }
  const opened = await openHolding(folder, { ...deps, clock, random: systemRandom, limits: () => deps.limits })
  if (opened.kind === 'not-opened') throw new Error(opened.why)
  return { ...opened.holding, close: opened.close }
}
