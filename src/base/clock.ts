/**
 * Time, handed in: nobody but this file and `cli` asks the machine what time it is.
 * `Deadline` is the one timer that a session has; each step re-arms it.
 */
import type { Cancel } from './cancel.ts'

export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Wall clock, milliseconds since 1970 UTC. May jump. For what people read: trace headers, logs. */
  now(): number
  /** Milliseconds from an arbitrary start; never goes back. For every duration and deadline. */
  monotonicMs(): number
  /** Runs `run` once, after `delayMs`. The timer does not keep the process alive. */
  after(delayMs: number, run: () => void): Timer
}

/** The time of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, run) {
    const timeout = setTimeout(run, delayMs)
    timeout.unref()
    return { cancel: () => clearTimeout(timeout) }
  },
}

/** Keeps the process alive until it is cancelled: for a command whose work waits for a timer and for nothing else. */
export function stayAwake(): Timer {
  const interval = setInterval(() => {}, 60_000)
  return { cancel: () => clearInterval(interval) }
}

/** A timer that sleeps no longer than this need not be set anew when a deadline of minutes is moved to an earlier minute. */
const longestSleepMs = 10_000

/**
 * One deadline that moves. Moving it, which is what every step does, mostly costs an assignment: the timer below it is left to fire
 * early, and then sleeps for the rest.
 */
export class Deadline {
  readonly #clock: Clock
  readonly #expired: () => void
  #dueMs = Number.POSITIVE_INFINITY
  #firesMs = Number.POSITIVE_INFINITY
  #timer: Timer | undefined

  /** @param expired  called once each time the deadline passes while armed */
  constructor(clock: Clock, expired: () => void) {
    this.#clock = clock
    this.#expired = expired
  }

  /** Lets the deadline pass `delayMs` from now, whatever it was before. */
  arm(delayMs: number): void {
    this.armAt(this.#clock.monotonicMs() + delayMs)
  }

  /** The same, with the moment on the monotonic clock. */
  armAt(dueMs: number): void {
    this.#dueMs = dueMs
    if (this.#timer && this.#firesMs <= dueMs) return
    this.#sleep()
  }

  /** The deadline no longer passes. The timer is kept for the next `arm`. */
  disarm(): void {
    this.#dueMs = Number.POSITIVE_INFINITY
  }

  /** Disarms for good and lets go of the timer. */
  end(): void {
    this.disarm()
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #sleep(): void {
    this.#timer?.cancel()
    const nowMs = this.#clock.monotonicMs()
    this.#firesMs = Math.min(this.#dueMs, nowMs + longestSleepMs)
    this.#timer = this.#clock.after(Math.max(0, this.#firesMs - nowMs), () => this.#wake())
  }

  #wake(): void {
    this.#timer = undefined
    if (this.#dueMs === Number.POSITIVE_INFINITY) return
    // Timers may fire up to a millisecond early, so what is nearly due counts as due.
    if (this.#dueMs - this.#clock.monotonicMs() > 1) {
      this.#sleep()
      return
    }
    this.#dueMs = Number.POSITIVE_INFINITY
    this.#expired()
  }
}

/**
 * What the promise brings, or undefined where it has not come by then.
 * @param untilMs  on the monotonic clock
 * @param cancel  the same at once
 */
export async function within<T>(
  promise: Promise<T>,
  untilMs: number,
  clock: Clock,
  cancel?: Cancel,
): Promise<T | undefined> {
  let over: (nothing: undefined) => void = () => undefined
  const timer = clock.after(Math.max(0, untilMs - clock.monotonicMs()), () => over(undefined))
  const late = new Promise<undefined>((resolve) => {
    over = resolve
  })
  const stopListening = cancel?.whenCancelled(() => over(undefined))
  try {
    return await Promise.race([promise, late])
  } finally {
    stopListening?.()
    timer.cancel()
  }
}
