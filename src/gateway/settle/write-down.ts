/**
 * Writes down what must not be forgotten: what a backend has said of a message that is in the hold. Where the store fails it is written as soon as
 * that can be, because what is not written down is delivered again. Made by `hold-parts`, for `settle-attempt`, `hand-over` and `late-watch`.
 */
import { type Clock, within } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { StoreFailure } from '../../queue/queue.ts'

export interface WriteDown {
  /** Resolves when it is written. Rejects with what is no failure of the disk, and with the failure itself once `stop` was called or the store is closed. */
  surely<T>(of: About, write: () => Promise<T>): Promise<T>
  /**
   * The same for somebody who waits: resolves when it is written, or after a moment, and then goes on behind. Never rejects.
   * @returns whether it is written
   */
  soon(of: About, write: () => Promise<void>, how?: Soon): Promise<boolean>
  /** @returns false where the store could not be written until `stop` was called; without waiting where that is known */
  whenWritable(): boolean | Promise<boolean>
  /** What cannot be written now is given up. */
  stop(): void
}

export interface Soon {
  /** The moment, default two seconds. */
  readonly waitMs?: number
  /** Called when it will not be written any more. */
  readonly givenUp?: () => void
}

/** What the log calls it by. */
export type About = { readonly id: string } | { readonly work: string }

export interface WriteDownDeps {
  readonly clock: Clock
  readonly log: Log
  /** As that of `Holding`. */
  readonly whenWritable: () => Promise<void> | undefined
}

/** Between two tries, also where the store says that it can be written: a failure need not be one of writing. */
const pauseMs = 1_000
/** For those who wait. */
const momentMs = 2_000

export function createWriteDown({ clock, log, whenWritable }: WriteDownDeps): WriteDown {
  const stopping = new Set<() => void>()
  let isStopped = false

  /** @returns whether the wait came to its end before `stop` */
  async function orStopped(wait: (done: () => void) => void): Promise<boolean> {
    if (isStopped) return false
    return await new Promise<boolean>((resolve) => {
      const stop = () => resolve(false)
      stopping.add(stop)
      wait(() => {
        stopping.delete(stop)
        resolve(true)
      })
    })
  }

  function writable(): boolean | Promise<boolean> {
    const waits = whenWritable()
    return waits ? orStopped((done) => void waits.then(done)) : !isStopped
  }

  async function surely<T>(of: About, write: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries++) {
      try {
        return await write()
      } catch (error) {
        if (!(error instanceof StoreFailure) || error.code === 'closed') throw error
        if (tries === 0) log.error('outcome not written down yet', { ...of, error })
        const mayGoOn = (await orStopped((done) => void clock.after(pauseMs, done))) && (await writable())
        if (!mayGoOn) throw error
      }
    }
  }

  return {
    surely,
    async soon(of, write, { waitMs = momentMs, givenUp } = {}) {
      const written = surely(of, write).then(
        () => true,
        (error: unknown) => {
          log.error('outcome not written down', { ...of, error })
          givenUp?.()
          return false
        },
      )
      return (await within(written, clock.monotonicMs() + waitMs, clock)) ?? false
    },
    whenWritable: writable,
    stop() {
      isStopped = true
      for (const stop of stopping) stop()
      stopping.clear()
    },
  }
}
