/** One run: `smtp-source` sends, and the run ends when the sink has counted every message. An error is an error, never speed. */
import { run } from '../../test/interop/harness/program.ts'
import { until } from '../../test/lab/until.ts'
import type { Contender } from './contenders.ts'
import { processorMs } from './daemon.ts'
import type { Sink } from './sink.ts'

/** `new`: a connection a message. `reused`: as many messages in a connection as there are. */
export type Mode = 'new' | 'reused'

export interface Load {
  readonly mode: Mode
  readonly messages: number
  /** Octets of each. */
  readonly length: number
  /** Connections at once. */
  readonly sessions: number
  readonly timeoutMs: number
}

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
  const ran = await run(
    'smtp-source',
    [
      ...['-s', String(load.sessions), '-l', String(load.length), '-m', String(load.messages)],
      ...['-f', 'bench@sender.test', '-t', 'bench@example.test', '-M', 'sender.test'],
      ...(load.mode === 'reused' ? ['-d'] : []),
      `${contender.address}:${contender.port}`,
    ],
    { timeoutMs: load.timeoutMs },
  )
  if (ran.code !== 0) throw new Error(`${contender.name}: smtp-source ended with ${ran.code}: ${ran.stderr}`)
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
