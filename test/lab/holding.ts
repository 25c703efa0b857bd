/** The hold of a lab's gateway: the real store on disk. */
import type { Clock } from '../../src/base/clock.ts'
import type { Log } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { openHolding } from '../../src/cli/holding.ts'
import type { Holding } from '../../src/gateway/hold/holding.ts'
import type { HoldLimits } from '../../src/queue/quota.ts'

export interface LabHolding extends Holding {
  close(): Promise<void>
}

export async function openLabHolding(
  folder: string,
  deps: { readonly log: Log; readonly clock: Clock; readonly limits: HoldLimits },
): Promise<LabHolding> {
  const opened = await openHolding(folder, { ...deps, random: systemRandom, limits: () => deps.limits })
  if (opened.kind === 'not-opened') throw new Error(opened.why)
  return { ...opened.holding, close: opened.close }
}
