/** One run: it ends when the sink has counted every message that was sent. */
import { until } from '../../test/lab/until.ts'
import type { Contender } from './contenders.ts'
import { processorMs } from './daemon.ts'
import type { Sink } from './sink.ts'
import { type Load, sendAll } from './source.ts'

export interface Measured {
  /** Messages a second, from the start to the arrival of the last. */
  readonly perSecond: number
  /** Processor milliseconds of the relay for each message; undefined for `direct`. */
  readonly processorMsEach: number | undefined
}

export async function measure(contender: Contender, sink: Sink, load: Load): Promise<Measured> {
  const before = sink.count()
  const processorBefore = contender.pid === undefined ? 0 : processorMs(contender.pid)
  const begun = performance.now()
  await sendAll(contender, load)
  const sentMs = performance.now() - begun
  let arrivedMs = sentMs
  if (sink.count() - before < load.messages) {
    const all = () => sink.count() - before >= load.messages
    await until(all, load.timeoutMs, `${contender.name}: ${load.messages} messages at the sink`)
    arrivedMs = performance.now() - begun
  }
  const arrived = sink.count() - before
  if (arrived !== load.messages) throw new Error(`${contender.name}: ${arrived} arrived of ${load.messages}`)
  return {
    perSecond: (load.messages / arrivedMs) * 1000,
    processorMsEach:
      contender.pid === undefined ? undefined : (processorMs(contender.pid) - processorBefore) / load.messages,
  }
}
