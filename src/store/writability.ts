/**
 * Whether the store can be written, as far as is known, and when that is tried without anybody's asking: ever more rarely after a failure, and from
 * time to time where nobody writes. For `sent.ts`.
 */
import { type Clock, Deadline } from '../base/clock.ts'
import type { StoreFailure } from './failure.ts'
import type { StoreState } from './store.ts'

export interface Writability {
  readonly state: StoreState
  /** Says so, and no more: nothing is tried while the disk gives no answer. */
  failing(failure: StoreFailure): void
  /** Something could not be written: it is tried again after a while. */
  failed(failure: StoreFailure): void
  /** It was the trial that could not: the next one waits longer. */
  trialFailed(failure: StoreFailure): void
  trialWorked(): void
  /** Something was written, or tried: where the store can be written, the next trial is put off. */
  quietFromNow(): void
  tryNow(): void
  /** Others are at the disk: they tell, or it is asked again. */
  trySoon(): void
  close(): void
}

const firstPauseMs = 1000
const longestPauseMs = 30_000
/** When nothing was written for so long, a little is: a disk that has become read-only is known before mail needs it. */
const quietMs = 30_000
const quietOctets = 1024
/** More than most single writes need, so that success means something. */
const failingOctets = 64 * 1024

/** @param attempt  writes so many octets; what comes of it is to be told here */
export function createWritability(
  clock: Clock,
  changed: (state: StoreState) => void,
  attempt: (octets: number) => void,
): Writability {
  let state: StoreState = { kind: 'writable' }
  let pauseMs = firstPauseMs
  const trial = new Deadline(clock, () => {
    if (state.kind !== 'closed') attempt(state.kind === 'writable' ? quietOctets : failingOctets)
  })
  trial.arm(quietMs)

  function become(next: StoreState): void {
    const isSame = state.kind === next.kind && (next.kind !== 'failing' || (state as typeof next).code === next.code)
    if (state.kind === 'closed' || isSame) return
    state = next
    changed(next)
  }

  const failing = ({ code, message }: StoreFailure) => become({ kind: 'failing', code, why: message })

  function failed(failure: StoreFailure): void {
    failing(failure)
    trial.arm(pauseMs)
  }

  return {
    get state() {
      return state
    },
    failing,
    failed,
    trialFailed(failure) {
      failed(failure)
      pauseMs = Math.min(longestPauseMs, pauseMs * 2)
    },
    trialWorked() {
      pauseMs = firstPauseMs
      become({ kind: 'writable' })
    },
    quietFromNow() {
      if (state.kind === 'writable') trial.arm(quietMs)
    },
    tryNow: () => trial.arm(0),
    trySoon: () => trial.arm(firstPauseMs),
    close() {
      become({ kind: 'closed' })
      trial.end()
    },
  }
}
