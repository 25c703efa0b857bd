/**
 * How fast one client may ask over TCP, over all of its connections together: who asks faster waits for its turn, and loses nothing. So that
 * nobody has the processor to itself, which also serves mail. Used by `tcp-server.ts`.
 */
import { type Clock, Deadline } from '../../base/clock.ts'
import { clientKey, type IpAddress } from '../../base/ip.ts'
import { createTokenBuckets } from '../../base/limits.ts'

export interface TcpPace {
  /** @returns whether it may be answered now */
  take(address: IpAddress): boolean
  /** Calls it when there may be room again; then `take` is to be asked anew. */
  whenThere(run: () => void): void
  stop(): void
}

export interface TcpPaceOptions {
  /** Questions a second of one client; 0: no limit. */
  readonly perSecond: number
  readonly isExempt: (address: IpAddress) => boolean
}

/** What may be asked in one go after some idle time, in seconds' worth. */
const burstSeconds = 1
/** Between two looks: a question waits at most a little longer than it must, and the waiting costs little. */
const lookMs = 50

export function createTcpPace({ perSecond, isExempt }: TcpPaceOptions, clock: Clock): TcpPace {
  const buckets = createTokenBuckets(clock, () => perSecond, burstSeconds, 10_000)
  let waiting: (() => void)[] = []
  const alarm = new Deadline(clock, () => {
    const those = waiting
    waiting = []
    // Who finds nothing waits again, behind those that found something and want more.
    for (const run of those) run()
  })
  return {
    take: (address) => perSecond === 0 || isExempt(address) || buckets.take(clientKey(address)),
    whenThere(run) {
      if (waiting.push(run) === 1) alarm.arm(lookMs)
    },
    stop() {
      waiting = []
      alarm.end()
    },
  }
}
