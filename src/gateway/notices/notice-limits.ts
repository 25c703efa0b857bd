/**
 * How many notifications go out: one an hour to an address, a hundred an hour in all. A list of forged senders, or a backend that refuses the
 * whole queue, must not make us the source of a flood. Asked by `notices`; a failure that goes beyond it is kept for a person.
 */
import type { Clock } from '../../base/clock.ts'

export interface NoticeLimits {
  /**
   * @param isFailure  the other ones, of delay and success, are for whoever asks: they have half of the room, and stand in no failure's way
   * @returns why there may be none to this address now, or that it is counted, and how that is taken back where none went out after all
   */
  take(address: string, isFailure: boolean): { readonly giveBack: () => void } | { readonly full: string }
}

const hourMs = 60 * 60_000
const mostAnHour = 100
const mostOthersAnHour = 50

export function createNoticeLimits(clock: Clock): NoticeLimits {
  /** Those of the last hour, so at most a hundred in both; the oldest first. */
  const failures = new Map<string, number>()
  const others = new Map<string, number>()

  function forgetOld(nowMs: number): void {
    for (const sent of [failures, others]) for (const [key, atMs] of sent) if (nowMs - atMs >= hourMs) sent.delete(key)
  }

  return {
    take(address, isFailure) {
      const nowMs = clock.monotonicMs()
      forgetOld(nowMs)
      const key = address.toLowerCase()
      if (failures.has(key) || (!isFailure && others.has(key)))
        return { full: 'this address was told something within the hour' }
      const isFull = failures.size + others.size >= mostAnHour || (!isFailure && others.size >= mostOthersAnHour)
      if (isFull) return { full: `${isFailure ? mostAnHour : mostOthersAnHour} notices went out within the hour` }
      const sent = isFailure ? failures : others
      sent.set(key, nowMs)
      return {
        giveBack() {
          if (sent.get(key) === nowMs) sent.delete(key)
        },
      }
    },
  }
}
