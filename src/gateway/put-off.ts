/**
 * What becomes of a held recipient that is put off, for whatever reason: it waits. One that a backend may have waits for that backend alone, because what
 * is said of it later takes nothing back that was sent before. Pure; for `sort-answers`, `settle-attempt` and `after-hold`.
 */
import type { HeldRecipient, Settled } from '../queue/queue.ts'

/** What is known of a recipient from before a dot. Where it was not in the hold then, there were no attempts, and no backend has it. */
export type HeldBefore = Pick<HeldRecipient, 'wasKnown' | 'attempts'> &
  Partial<Pick<HeldRecipient, 'firstRefusedMs' | 'backend' | 'elsewhereMs'>>

/**
 * @param held  undefined: no backend has it
 * @param nowMs  on the wall clock
 */
export function putOff(
  held: Pick<HeldBefore, 'backend' | 'elsewhereMs'> | undefined,
  pauseMs: number,
  nowMs: number,
): Extract<Settled, { kind: 'waiting' | 'unknown' }> {
  const notBeforeMs = nowMs + pauseMs
  const { backend, elsewhereMs } = held ?? {}
  if (backend === undefined || elsewhereMs === undefined) return { kind: 'waiting', notBeforeMs }
  // When others may be asked, they are.
  const soonestMs = elsewhereMs > nowMs ? Math.min(notBeforeMs, elsewhereMs) : notBeforeMs
  return { kind: 'unknown', backend, elsewhereMs, notBeforeMs: soonestMs }
}
