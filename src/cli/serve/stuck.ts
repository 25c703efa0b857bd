/**
 * The gateway has one thread, and what goes round in a circle there stops all of it without ending it: senders are greeted by nobody, and nothing starts it
 * again. So a second thread (`stuck-thread.ts`) looks whether the first gets on, and where it does not, says where it is and ends the process. What was
 * answered 250 is in a backend or on disk by then, as it is at any crash. Made by `process.ts`, begun by `serve`.
 */
import { url as debuggerUrl } from 'node:inspector'
import { Worker } from 'node:worker_threads'
import type { Clock } from '../../base/clock.ts'
import type { LogForm } from '../log.ts'

export interface StuckOptions {
  /** So long without a turn of the event loop, in milliseconds. */
  readonly afterMs: number
  /** How what is said goes to standard error. */
  readonly form: LogForm
  readonly color: boolean
}

/** What the thread is given. */
export interface StuckOrder extends StuckOptions {
  /** One number, which changes while the first thread gets on. */
  readonly beats: SharedArrayBuffer
}

/**
 * Looks of the second thread in that time. Only what has stood still at all of them is stuck: for who was asleep with the whole machine, or stopped by
 * a signal, that was one.
 */
export const looks = 24

/** @returns ends it; to be called before a work that may take as long */
export function endWhenStuck(options: StuckOptions, clock: Clock): () => void {
  // Who debugs stops the first thread on purpose.
  if (debuggerUrl() !== undefined) return () => undefined
  const beats = new Int32Array(new SharedArrayBuffer(4))
  const workerData = { ...options, beats: beats.buffer } satisfies StuckOrder
  // `stuck-thread.ts` from a checkout, `stuck-thread.js` from the package.
  const worker = new Worker(new URL(`./stuck-thread${import.meta.url.slice(-3)}`, import.meta.url), { workerData })
  worker.unref()
  let timer = clock.after(0, beat)
  function beat(): void {
    Atomics.add(beats, 0, 1)
    timer = clock.after(options.afterMs / looks / 2, beat)
  }
  return () => {
    timer.cancel()
    void worker.terminate()
  }
}
