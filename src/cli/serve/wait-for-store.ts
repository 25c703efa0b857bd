/**
 * Opens the store of the state folder for `serve`, and waits a little where somebody has it who will soon let go of it: a `waypost queue` that works on
 * the stopped gateway, or a gateway that is stopping.
 */
import { stayAwake, systemClock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { askControl, controlPath } from '../../gateway/operate/control.ts'
import type { HoldingDeps, OpenedHolding, OpenHolding } from '../holding.ts'

const waitMs = 30_000
const pauseMs = 300

/** @returns in use at once where another gateway answers for the folder, and else after half a minute */
export async function openWhenFree(
  openHolding: OpenHolding,
  state: string,
  deps: HoldingDeps,
  log: Log,
): Promise<OpenedHolding> {
  const untilMs = systemClock.monotonicMs() + waitMs
  const awake = stayAwake()
  try {
    for (let isFirst = true; ; isFirst = false) {
      const opened = await openHolding(state, deps)
      if (opened.kind === 'opened' || !opened.inUse) return opened
      if (systemClock.monotonicMs() >= untilMs || (await isServed(state))) return opened
      if (isFirst) log.warn('the store is in use, waiting for it', { state, seconds: waitMs / 1000 })
      await new Promise<void>((resolve) => void systemClock.after(pauseMs, resolve))
    }
  } finally {
    awake.cancel()
  }
}

/** Silence is a process too: one that hangs still owns the state. */
async function isServed(state: string): Promise<boolean> {
  const options = { clock: systemClock, timeoutMs: 2_000 }
  return (await askControl(controlPath(state), { command: 'ping' }, options)).kind !== 'not-running'
}
