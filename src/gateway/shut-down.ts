/**
 * The end of a gateway: no new connections, time for what is in progress, and everything closed in an order in which the last words of backends still
 * reach their senders, or the hold. For `gateway.ts`.
 */
import { type Clock, within } from '../base/clock.ts'
import type { Delivery } from '../delivery/delivery.ts'
import type { SmtpServer } from '../smtp/server/server.ts'
import type { Reach } from './backends/reach.ts'
import type { HoldParts } from './hold-parts.ts'
import type { Certificate } from './receive/certificate.ts'
import type { Receiving } from './receive/receiving.ts'
import type { ToldSparingly } from './told-sparingly.ts'

/** What is to be stopped. */
export interface RunningParts {
  readonly clock: Clock
  readonly sparingly: Pick<ToldSparingly, 'stop'>
  readonly certificate: Pick<Certificate, 'stop'>
  readonly reach: Pick<Reach, 'rest' | 'close'>
  readonly delivery: Pick<Delivery, 'close'>
  readonly receiving: Pick<Receiving, 'stop'>
  readonly server: Pick<SmtpServer, 'close'>
  /** Undefined: nothing is held. */
  readonly holdParts: Pick<HoldParts, 'drain' | 'stop'> | undefined
}

const mostLastWordsMs = 5_000

/** @param graceMs  what is in progress has so long */
export async function shutDown(parts: RunningParts, graceMs: number): Promise<void> {
  const { clock, sparingly, certificate, reach, delivery, receiving, server, holdParts } = parts
  reach.rest()
  certificate.stop()
  const drained = holdParts?.drain.stop()
  // What a backend has not answered by then is held as unknown, and there is time left to tell its sender so.
  const breakOffMs = graceMs - Math.min(mostLastWordsMs, graceMs / 4)
  const breakOff = holdParts && clock.after(breakOffMs, () => void delivery.close())
  const untilMs = clock.monotonicMs() + breakOffMs
  await server.close(graceMs)
  receiving.stop()
  // Behind its dot an attempt that is broken off is one that nobody knows the end of, and is made again.
  if (drained) await within(drained, untilMs, clock)
  breakOff?.cancel()
  await delivery.close()
  await drained
  await holdParts?.stop()
  sparingly.stop()
  reach.close()
}
