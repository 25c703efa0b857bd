/** One turn of one contender: it takes messages while its destination is down, every 250 behind a sync, then hands all of them on. */
import { until } from '../../test/lab/until.ts'
import { processorMs } from '../relay/daemon.ts'
import { type Load, sendAll } from '../relay/source.ts'
import type { Contender } from './contenders.ts'

export interface Rate {
  readonly perSecond: number
  /** Processor milliseconds for each message. */
  readonly processorMsEach: number
}

export interface Measured {
  readonly accept: Rate
  /** From the first arrival to the last: how soon it notices that the destination is back is another matter. */
  readonly drain: Rate
}

export async function measure(contender: Contender, load: Load): Promise<Measured> {
  const accept = await rateOf(contender, load.messages, async () => {
    const begun = performance.now()
    await sendAll(contender, load)
    return performance.now() - begun
  })
  const drain = await rateOf(contender, load.messages, () => drainMs(contender, load))
  return { accept, drain }
}

async function drainMs(contender: Contender, { messages, timeoutMs }: Load): Promise<number> {
  const sink = await contender.destinationUp()
  try {
    let firstMs: number | undefined
    const all = () => {
      const count = sink.count()
      if (count > 0) firstMs ??= performance.now()
      return count >= messages
    }
    await until(all, timeoutMs, `${contender.name}: ${messages} messages at the sink`)
    const tookMs = performance.now() - (firstMs ?? 0)
    if (sink.count() !== messages) throw new Error(`${contender.name}: ${sink.count()} arrived of ${messages}`)
    return tookMs
  } finally {
    await sink.stop()
  }
}

async function rateOf({ pid }: Contender, messages: number, work: () => Promise<number>): Promise<Rate> {
  const before = processorMs(pid)
  const tookMs = await work()
  return { perSecond: (messages / tookMs) * 1000, processorMsEach: (processorMs(pid) - before) / messages }
}
