/**
 * Keeps a clock gone wrong from throwing the queue away: nothing expires after the wall clock has jumped against the monotonic one, nor when
 * more than a tenth of the queue would go at once. It goes on when the figures are in order again, or a person says so. Asked by `expiry`.
 */
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'

export interface ExpiryGuard {
  /**
   * Whether messages may expire now.
   * @param count  how many would have expired by a moment on the wall clock, and how many there are
   */
  mayExpire(count: (nowMs: number) => Promise<{ readonly overdue: number; readonly all: number }>): Promise<boolean>
  /** Why nothing expires, for people; undefined where all is in order. */
  readonly stopped: string | undefined
  /** A person says that the clock, and what is overdue by it now, is right. @returns whether it was stopped */
  resume(): boolean
}

const mostJumpMs = 60 * 60_000
const mostShare = 0.1
/** Fewer than these are no herd, whatever their share. */
const fewMessages = 10

export function createExpiryGuard({ clock, log }: { readonly clock: Clock; readonly log: Log }): ExpiryGuard {
  const offset = () => clock.now() - clock.monotonicMs()
  let trustedOffsetMs = offset()
  /** What had expired by then, a person has seen. */
  let approvedToMs: number | undefined
  let stopped: string | undefined

  /** @returns in words, what is wrong with the clock */
  function whyClock(): string | undefined {
    const jumpMs = offset() - trustedOffsetMs
    if (Math.abs(jumpMs) > mostJumpMs)
      return `the clock has jumped by ${Math.round(jumpMs / 60_000)} minutes against the time that has passed`
    // Being corrected little by little is what clocks do.
    trustedOffsetMs += jumpMs
    return undefined
  }

  async function whyMany(count: Parameters<ExpiryGuard['mayExpire']>[0]): Promise<string | undefined> {
    const { overdue, all } = await count(clock.now())
    const approved = approvedToMs === undefined ? 0 : (await count(approvedToMs)).overdue
    const unseen = overdue - approved
    if (overdue === 0) approvedToMs = undefined
    if (unseen <= fewMessages || unseen <= mostShare * all) return undefined
    return `${unseen} of ${all} held messages would expire at once`
  }

  return {
    async mayExpire(count) {
      const why = whyClock() ?? (await whyMany(count))
      if (why === undefined) {
        if (stopped !== undefined) log.info('expiry resumed', { was: stopped })
        stopped = undefined
        return true
      }
      // The figures change with each look; it is the same stop.
      if (stopped === undefined)
        log.alert('expiry stopped', { why, remedy: 'check the clock, then waypost queue resume' })
      stopped = why
      return false
    },
    get stopped() {
      return stopped
    },
    resume() {
      if (stopped === undefined) return false
      stopped = undefined
      trustedOffsetMs = offset()
      approvedToMs = clock.now()
      log.info('expiry resumed', { by: 'a person' })
      return true
    },
  }
}
